//go:build !race

package lookup_test

// raceDetector says whether the test binary has the race detector.
const raceDetector = false
