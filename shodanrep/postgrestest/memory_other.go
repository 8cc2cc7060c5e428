//go:build !linux

package postgrestest

// memoryFolder returns "", because only Linux always has a file system in memory.
func memoryFolder() string { return "" }
