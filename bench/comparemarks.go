package main

// mark is the maximum of a comparison with the build of commit 1c60b06.
type mark struct {
	what, operation string
	connections     int
	most            float64
}

// duelMarks are the marks of a cluster that pays.
var duelMarks = []mark{
	{hopByOlder, hop, 64, 0.40},
	{hopByOlder, hop, 512, 0.45},

	{threeByOlder, refresh, 64, 0.55},
	{threeByOlder, list, 64, 0.45},
	{threeByOlder, mint, 64, 0.55},
	{threeByOlder, link, 64, 0.45},
	{threeByOlder, redeem, 64, 0.45},
	{threeByOlder, unlink, 64, 0.55},

	{threeByOneOlder, refresh, 64, 2.2},
	{threeByOneOlder, list, 64, 2.2},
	{threeByOneOlder, mint, 64, 2.2},
	{threeByOneOlder, link, 64, 2.0},
	{threeByOneOlder, redeem, 64, 2.0},
	{threeByOneOlder, unlink, 64, 2.2},

	{oneByOlder, refresh, 64, 0.95},
	{oneByOlder, list, 64, 0.95},
	{oneByOlder, mint, 64, 0.75},
	{oneByOlder, link, 64, 0.70},
	{oneByOlder, redeem, 64, 0.80},
	{oneByOlder, unlink, 64, 0.80},

	{threeByOne, refresh, 16, 3.0},

	{fiveByThree, refresh, 64, 1.15},
	{fiveByThree, list, 64, 1.15},
	{fiveByThree, mint, 64, 1.15},
	{fiveByThree, link, 64, 1.15},
	{fiveByThree, redeem, 64, 1.15},
	{fiveByThree, unlink, 64, 1.15},
}

// markOf is the mark of a comparison, if it has one.
func markOf(what, operation string, connections int) (most float64, ok bool) {
	for _, m := range duelMarks {
		if m.what == what && m.operation == operation && m.connections == connections {
			return m.most, true
		}
	}
	return 0, false
}

// marked wants what has a mark.
func marked(operation string, connections int) bool {
	for _, m := range duelMarks {
		if m.operation == operation && m.connections == connections {
			return true
		}
	}
	return false
}
