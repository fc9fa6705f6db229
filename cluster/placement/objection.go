package placement

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ssod/cluster"
	"ssod/cluster/plan"
)

// objection is why a node is not given up, for operators.
type objection struct {
	text string
	// forever: no waiting helps.
	forever bool
}

func (o *objection) Error() string { return ErrNeeded.Error() + ": " + o.text }

func (o *objection) Is(target error) bool { return target == ErrNeeded }

func object(format string, args ...any) *objection {
	return &objection{text: fmt.Sprintf(format, args...)}
}

// mayGo returns nil when a node can be given up now, else the [*objection].
func (s *session) mayGo(ctx context.Context, n Node) error {
	if s.p.Alive(n.ID) {
		quiet := s.p.cfg.AliveWithin - time.Since(s.p.cfg.LastHeard(n.ID))
		if n.Leave != Leave_LEFT {
			quiet = s.p.cfg.SilentFor
		}
		return object("node %s answers at %s, or did a moment ago: stop it first; when it is stopped, wait %v", n.Name, n.Raft, max(seconds(quiet), time.Second))
	}
	f := findings{contents: s.contents, shards: s.p.engine.Count(), alive: s.p.Alive}
	if n.Leave == Leave_LEFT { // it holds nothing
		if short, lacks := errors.AsType[*plan.Shortage](f.mayLose(n.ID)); lacks {
			return object("%s", f.plead(n, short))
		}
		return nil
	}
	f.said = s.p.survey(ctx, n.ID)
	return f.object(n, s.p.cfg.SilentFor)
}

// object finds what speaks against giving a node up. It calls nothing permanent before the
// silence is over, in which elections end and leaders confirm their groups.
func (f *findings) object(n Node, silentFor time.Duration) error {
	short, lacks := errors.AsType[*plan.Shortage](f.mayLose(n.ID))
	if !f.heardAll() {
		return object("too few voters of the meta shard report whether they hear node %s", n.Name)
	}
	if silence := f.silence(); silence < silentFor {
		text := fmt.Sprintf("node %s was heard %s ago: it waits %s more until it has been silent for %v",
			n.Name, silence.Truncate(time.Second), seconds(silentFor-silence), silentFor)
		if lacks {
			text += "; now " + f.plead(n, short)
		}
		return object("%s", text)
	}
	if lacks {
		return &objection{f.plead(n, short), short.Forever}
	}
	return nil
}

// seconds is a duration for people, rounded up.
func seconds(d time.Duration) time.Duration { return (d + time.Second - 1).Truncate(time.Second) }

// plead says what a group lacks without a node, and which nodes can bring it back.
func (f *findings) plead(n Node, s *plan.Shortage) string {
	text := strings.ReplaceAll(s.Error(), "this node", "node "+n.Name)
	if s.Unknown {
		return text + ": its leader does so within seconds when it has one"
	}
	away := f.away(s.Shard, n.ID)
	if s.Forever {
		away = nil
	}
	return text + ": " + bring(n.Name, away)
}

func bring(name string, others []string) string {
	text := fmt.Sprintf("start node %s with the --data directory that it had", name)
	if len(others) > 0 {
		text += fmt.Sprintf(", or first %s", strings.Join(others, ", "))
	}
	return text
}

// away are the names of other voters of a shard that are down.
func (f *findings) away(shard int, except NodeID) (names []string) {
	for _, id := range f.contents.group(shard).Nodes() {
		if n, ok := f.contents.nodes[id]; ok && id != except && n.State != NodeState_REMOVED && !f.alive(id) {
			names = append(names, n.Name)
		}
	}
	return names
}

// leaderless says why there is no leader to decide about a node, as far as this one knows.
func (p *Placement) leaderless(name string) error {
	contents := p.registry.contents.Load()
	f := findings{contents: contents, shards: p.engine.Count(), alive: p.Alive}
	bearer, known := contents.bearer(name)
	away := f.away(int(cluster.MetaShard), bearer.ID)
	text := "the meta shard has no leader to decide this"
	switch {
	case known && contents.group(int(cluster.MetaShard)).Votes(bearer.ID):
		return fmt.Errorf("%w: %s; node %s has a vote in it: %s", ErrTemporary, text, name, bring(name, away))
	case len(away) > 0:
		return fmt.Errorf("%w: %s: start %s", ErrTemporary, text, strings.Join(away, ", "))
	}
	return fmt.Errorf("%w: %s yet", ErrTemporary, text)
}
