// Package processtest ends the processes that tests start.
package processtest
