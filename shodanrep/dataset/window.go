package dataset

import "time"

// withinWindow divides files into those that count and those that the window leaves out.
//
// Files that a pattern or a folder has are followed, as Shodan's daily files are: a file is left out when its newest
// banner is older by more than the window than the newest of all in the same pattern. It is not compared with the present,
// and not by the time of the file: so nothing vanishes because downloads have ended, or because files were copied. A file
// that is named itself always counts.
func withinWindow(matches []match, window time.Duration, known map[string]entry) (within, outside []match) {
	newest := map[int]int64{}
	for _, m := range matches {
		if e := known[m.path]; e.banners > 0 { // else its time is that of the file
			newest[m.pattern] = max(newest[m.pattern], e.newest)
		}
	}
	for _, m := range matches {
		e, isKnown := known[m.path]
		if window > 0 && m.pattern != named && isKnown && e.banners > 0 && e.newest < newest[m.pattern]-window.Microseconds() {
			outside = append(outside, m)
		} else {
			within = append(within, m)
		}
	}
	return within, outside
}
