package layers

import (
	"slices"
	"strings"
	"testing"
)

// front is httpfront from the top floor down: a part imports those after it.
// "." is the server itself.
var front = []string{
	"fronttest", ".", "api", "webhook", "mvpd", "degradation", "token", "page",
	"throttle", "config", "usermeta", "wire", "slots", "strictjson", "qr", "client",
}

func TestHttpfrontImportsDownwards(t *testing.T) {
	for a := range arrowsIn("ssod/httpfront", list(t, "Imports")) {
		from, to := slices.Index(front, a.from), slices.Index(front, a.to)
		if from < 0 || to < 0 || from > to {
			t.Errorf("httpfront: %s imports %s, but stands below it or on no floor", a.from, a.to)
		}
	}
}

// TestNoArrowRunsBackUp: whatever is beside one another in a directory (its own
// package, and each directory in it with all that is inside) has an order in which
// imports run down only. With -v it prints how many would run up in the best one.
func TestNoArrowRunsBackUp(t *testing.T) {
	packages := list(t, "Imports")
	for _, room := range rooms(packages) {
		arrows := arrowsIn(room, packages)
		up := fewestUp(arrows)
		t.Logf("%-32s %d", room, up)
		if up > 0 {
			t.Errorf("%s: %d imports run back up between %v", room, up, parts(arrows))
		}
	}
}

// rooms are the directories of the module that have others in them.
func rooms(packages map[string][]string) (found []string) {
	for path := range packages {
		for at := strings.LastIndexByte(path, '/'); at > 0; at = strings.LastIndexByte(path[:at], '/') {
			found = append(found, path[:at])
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// arrow is that one part of a room imports another.
type arrow struct{ from, to string }

// arrowsIn counts the imports between the parts of a room.
func arrowsIn(room string, packages map[string][]string) map[arrow]int {
	arrows := map[arrow]int{}
	for path, imports := range packages {
		for _, other := range imports {
			a := arrow{part(room, path), part(room, other)}
			if a.from != "" && a.to != "" && a.from != a.to {
				arrows[a]++
			}
		}
	}
	return arrows
}

// part is where in a room a package is; "" when it is outside.
func part(room, path string) string {
	if path == room {
		return "."
	}
	inside, ok := strings.CutPrefix(path, room+"/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(inside, "/")
	return name
}

// fewestUp is how many imports run up in the order of parts where the fewest do. It
// leaves only the parts of loops in arrows.
func fewestUp(arrows map[arrow]int) int {
	for {
		before := len(arrows)
		for a := range arrows {
			if !slices.ContainsFunc(parts(arrows), func(p string) bool { return arrows[arrow{p, a.from}] > 0 }) ||
				!slices.ContainsFunc(parts(arrows), func(p string) bool { return arrows[arrow{a.to, p}] > 0 }) {
				delete(arrows, a)
			}
		}
		if len(arrows) == before {
			return fewest(arrows, parts(arrows), nil)
		}
	}
}

// fewest puts each of rest on top of what lies there, in turn.
func fewest(arrows map[arrow]int, rest, lies []string) int {
	if len(rest) == 0 {
		return 0
	}
	best := -1
	for i, top := range rest {
		up := 0
		for _, below := range lies {
			up += arrows[arrow{below, top}]
		}
		up += fewest(arrows, slices.Delete(slices.Clone(rest), i, i+1), append(slices.Clone(lies), top))
		if best < 0 || up < best {
			best = up
		}
	}
	return best
}

func parts(arrows map[arrow]int) (all []string) {
	for a := range arrows {
		all = append(all, a.from, a.to)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
