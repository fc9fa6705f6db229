package sim

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// edit is a mistake in a source of package core, or a part of one.
type edit struct{ file, right, wrong string }

// has is what a mistake depends on.
func has(mistake string) string { return "planted.Engine.Has(planted." + mistake + ")" }

// edits are all mistakes of the engine. What is right must be in the file once.
var edits = []edit{
	// What was queued under a term that is over is forwarded to the new leader, and
	// acknowledged when it is applied, whichever term it is in the log under.
	{"inputs.go", "\treturn false\n}\n\nfunc addressed(", "\treturn m.GetType() == pb.MsgProp && " + has("IgnoreProposerTerm") + "\n}\n\nfunc addressed("},
	{"group.go", "DisableProposalForwarding: true,", "DisableProposalForwarding: !" + has("IgnoreProposerTerm") + ","},
	{"group.go", "\tg.commits.end()\n", "\tif !" + has("IgnoreProposerTerm") + " {\n\t\tg.commits.end()\n\t}\n"},
	{"commits.go", "\t\tif !g.open || g.raft().Propose(data) != nil {\n", `
		if !g.open && ` + has("IgnoreProposerTerm") + ` && g.raft().Propose([]byte(string(data))) == nil {
			if g.commits.forwarded == nil {
				g.commits.forwarded = make(map[string][]*Proposal)
			}
			g.commits.forwarded[string(data)] = ps
			continue
		}
		if !g.open || g.raft().Propose(data) != nil {
`},
	{"commits.go", "\thanded   int // of inflight were handed out for application\n", "\thanded int\n\tforwarded map[string][]*Proposal\n"},
	{"jobs.go", "\t\tif answerable(g, w.entries[i]) {\n", `
		if data := string(w.entries[i].GetData()); len(g.commits.forwarded[data]) > 0 {
			answerEach(g.commits.forwarded[data], results[i])
			delete(g.commits.forwarded, data)
		}
		if answerable(g, w.entries[i]) {
`},
	{"jobs.go", "len(cs) > 0 {", "len(cs) > 0 && !" + has("IgnoreProposerTerm") + " {"},
	{"jobs.go", "entry.ProposerTerm == e.GetTerm()", "entry.ProposerTerm == e.GetTerm() || " + has("IgnoreProposerTerm")},

	{"fence.go", "g.is().term == t.Term", "g.is().term == t.Term || " + has("FenceIgnoresTerm")},
	{"fence.go", "\tfor _, t := range answer.Terms {\n", "\tif " + has("FenceAnsweredLate") + " {\n\t\tanswer.Number = f.number\n\t}\n\tfor _, t := range answer.Terms {\n"},
	{"barriers.go", "len(out) > 0 {", "len(out) > 0 && !" + has("FenceIgnoresOldConf") + " {"},

	{"clock.go", "c.cfg.Measured == nil ||", "c.cfg.Measured == nil || " + has("UnboundedTime") + " ||"},

	{"reset.go", "\t\tg.resetting = true\n", "\t\tg.resetting = !" + has("ResetKeepsLeases") + "\n"},
	{"reset.go", "\t\tg.commits.refuse()\n", "\t\tif g.resetting {\n\t\t\tg.commits.refuse()\n\t\t}\n"},
	{"reset.go", "p.Era != g.era", "p.Era != g.era && !" + has("ResetKeepsLeases")},
	{"reset.go", "\tg.era++\n", "\tif " + has("ResetKeepsLeases") + " {\n\t\treturn\n\t}\n\tg.era++\n"},
}

// changedEngine writes the sources of package core with all edits, and the file
// that has the go command take them for the others. It returns that file.
func changedEngine(t *testing.T) string {
	t.Helper()
	core, err := filepath.Abs("../core")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	for _, c := range edits {
		source, read := sources[c.file]
		if !read {
			b, err := os.ReadFile(filepath.Join(core, c.file))
			if err != nil {
				t.Fatal(err)
			}
			source = strings.Replace(string(b), "package core\n", "package core\n\nimport \"ssod/cluster/replica/internal/planted\"\n", 1)
		}
		if n := strings.Count(source, c.right); n != 1 {
			t.Fatalf("%s has %q %d times, and not once: the mistake is to be made elsewhere", c.file, c.right, n)
		}
		sources[c.file] = strings.Replace(source, c.right, c.wrong, 1)
	}
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for file, source := range sources {
		path := filepath.Join(dir, file)
		if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(core, file)] = path
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
