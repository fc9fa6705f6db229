package webhook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"ssod/cluster"
	"ssod/httpfront/config"
)

// MaxPage is how many dead letters a page has at most.
const MaxPage = 500

// ErrNoLetter says that there is no such dead letter for a receiver that is configured.
var ErrNoLetter = errors.New("no such dead letter")

// Others are the other nodes of a cluster, by name.
type Others interface {
	// Leaders says which node leads each shard, "" being this one. It fails when some
	// shard has no leader now.
	Leaders() (map[string][]cluster.ShardID, error)
	// Ask has a node's [Dispatcher.Serve] answer.
	Ask(ctx context.Context, node string, request []byte) ([]byte, error)
}

// Everywhere is what operators see of events and do about them, on all nodes.
type Everywhere struct {
	Here *Dispatcher
	// Others is nil on a node that is alone.
	Others Others
}

// Name names a receiver for operators. Its URL may have a secret in it.
type Name struct {
	Realm    string
	Receiver string // the host of its URL, or host#2; empty: it is not configured any more
	MVPD     string // whose receiver it is; empty: the realm's own
}

// Listing is a page of what there is.
type Listing struct {
	// Receivers are on the first page: those that are configured, and others that there is
	// something for, in order of their names.
	Receivers []Standing
	Letters   []NamedLetter
	Next      string // of the next page; empty: this is the last
}

// Standing is how it stands with a receiver.
type Standing struct {
	Name
	Backlog
}

// NamedLetter is a dead letter and whom it was for.
type NamedLetter struct {
	Name
	DeadLetter
}

// receiversOf are the receivers of a realm, or of all realms, by their digests.
func receiversOf(cfg *config.Config, realm string, is func(w *config.Webhook) bool) map[uint64]Name {
	all := map[uint64]Name{}
	for _, r := range cfg.Realms {
		for i, name := range names(r.Webhooks) {
			w := &r.Webhooks[i]
			if (realm == "" || realm == r.ID) && is(w) {
				all[ReceiverOf(r.ID, *w)] = Name{Realm: r.ID, Receiver: name, MVPD: w.MVPD}
			}
		}
	}
	return all
}

func anyReceiver(*config.Webhook) bool { return true }

// List reads a page of at most limit dead letters of a realm, or of all. It fails with
// [cluster.ErrRefused] when some shard cannot be read now.
func (e Everywhere) List(ctx context.Context, realm, after string, limit int) (Listing, error) {
	q := question{Limit: min(limit, MaxPage)}
	names := receiversOf(e.Here.options.Settings(), realm, anyReceiver)
	if realm != "" {
		if q.Receivers = keysOf(names); len(names) == 0 {
			return Listing{}, nil
		}
	}
	if after != "" {
		at, err := parsePosition(after)
		if err != nil {
			return Listing{}, err
		}
		q.After = &at
	}
	all, err := e.ask(ctx, q)
	if err != nil {
		return Listing{}, fmt.Errorf("%w: %v", cluster.ErrRefused, err)
	}
	return listing(names, all, q), nil
}

func listing(names map[uint64]Name, all report, q question) (l Listing) {
	if q.After == nil {
		for id := range names {
			of(all.Receivers, id)
		}
		for id, b := range all.Receivers {
			l.Receivers = append(l.Receivers, Standing{names[id], *b})
		}
		slices.SortFunc(l.Receivers, func(a, b Standing) int {
			return cmp.Or(cmp.Compare(a.Realm, b.Realm), cmp.Compare(a.Receiver, b.Receiver), cmp.Compare(a.MVPD, b.MVPD))
		})
	}
	letters := all.Letters
	if len(letters) > q.Limit {
		letters = letters[:q.Limit]
	}
	for _, letter := range letters {
		l.Letters = append(l.Letters, NamedLetter{names[letter.Position.Receiver], letter})
	}
	if len(letters) == q.Limit && q.Limit > 0 {
		l.Next = letters[len(letters)-1].Position.String()
	}
	return l
}

// Replay lets a dead letter wait again. It fails with [ErrNoLetter].
func (e Everywhere) Replay(ctx context.Context, id string) error {
	names := receiversOf(e.Here.options.Settings(), "", anyReceiver)
	n, err := e.replay(ctx, names, id)
	if err == nil && n == 0 {
		return ErrNoLetter
	}
	return err
}

// ReplayAll lets all dead letters of a realm wait again, or those for one URL. It returns
// how many there were.
func (e Everywhere) ReplayAll(ctx context.Context, realm, url string) (int, error) {
	names := receiversOf(e.Here.options.Settings(), realm, func(w *config.Webhook) bool { return url == "" || w.URL == url })
	if url != "" && len(names) == 0 {
		return 0, fmt.Errorf("%w: realm %s has no receiver with that url", ErrNoLetter, realm)
	}
	return e.replay(ctx, names, "")
}

func (e Everywhere) replay(ctx context.Context, names map[uint64]Name, id string) (int, error) {
	if len(names) == 0 {
		return 0, nil
	}
	all, err := e.ask(ctx, question{Receivers: keysOf(names), Replay: true, ID: id})
	if err != nil {
		return 0, fmt.Errorf("%w: not all may wait again; repeat it: %v", cluster.ErrUnknown, err)
	}
	return all.Queued, nil
}

func keysOf(names map[uint64]Name) (ids []uint64) {
	for id := range names {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// ask asks every node about the shards that it leads.
func (e Everywhere) ask(ctx context.Context, q question) (report, error) {
	leaders := map[string][]cluster.ShardID{}
	if e.Others == nil {
		for id := range cluster.ShardID(e.Here.options.Shards.Count() + 1) {
			leaders[""] = append(leaders[""], id)
		}
	} else {
		var err error
		if leaders, err = e.Others.Leaders(); err != nil {
			return report{}, err
		}
	}
	answers := make(chan report, len(leaders))
	g, ctx := errgroup.WithContext(ctx)
	for node, shards := range leaders {
		q := q
		q.Shards = shards
		g.Go(func() error {
			answer, err := e.askOne(ctx, node, q)
			answers <- answer
			return err
		})
	}
	err := g.Wait()
	close(answers)
	all := report{Receivers: map[uint64]*Backlog{}}
	for a := range answers {
		all.add(a)
	}
	slices.SortFunc(all.Letters, func(a, b DeadLetter) int { return a.Position.compare(b.Position) })
	return all, err
}

func (e Everywhere) askOne(ctx context.Context, node string, q question) (answer report, err error) {
	if node == "" {
		return e.Here.answer(ctx, q)
	}
	request, err := json.Marshal(q)
	if err != nil {
		return report{}, err
	}
	raw, err := e.Others.Ask(ctx, node, request)
	if err != nil {
		return report{}, fmt.Errorf("node %s: %w", node, err)
	}
	return answer, json.Unmarshal(raw, &answer)
}

// add adds what another node has.
func (r *report) add(a report) {
	r.Letters = append(r.Letters, a.Letters...)
	r.Queued += a.Queued
	for id, b := range a.Receivers {
		sum := of(r.Receivers, id)
		sum.Waiting += b.Waiting
		sum.Dead += b.Dead
		sum.Why = cmp.Or(sum.Why, b.Why)
		if b.Oldest != nil && (sum.Oldest == nil || b.Oldest.Before(*sum.Oldest)) {
			sum.Oldest = b.Oldest
		}
	}
}
