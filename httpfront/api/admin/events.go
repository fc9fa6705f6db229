package admin

import (
	"context"
	"strconv"
	"time"

	"ssod/httpfront/webhook"
)

// Events are those of the whole cluster; [webhook.Everywhere] is.
type Events interface {
	List(ctx context.Context, realm, after string, limit int) (webhook.Listing, error)
	Replay(ctx context.Context, id string) error
	ReplayAll(ctx context.Context, realm, url string) (int, error)
}

// eventList is the answer of GET /admin/v1/events.
type eventList struct {
	Receivers   []receiverView   `json:"receivers"`
	DeadLetters []deadLetterView `json:"deadLetters"`
	Next        string           `json:"next,omitempty"`
}

// receiverName names a receiver; one that is not configured any more has no name.
type receiverName struct {
	Realm    string `json:"realm,omitempty"`
	Receiver string `json:"receiver,omitempty"` // host of its URL, or host#2
	MVPD     string `json:"mvpd,omitempty"`
}

type receiverView struct {
	receiverName
	Waiting int        `json:"waiting"`
	Oldest  *time.Time `json:"oldest,omitempty"`
	Dead    int        `json:"dead"`
	Error   string     `json:"error,omitempty"`
}

type deadLetterView struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	receiverName
	Happened time.Time `json:"happened"`
	Died     time.Time `json:"died"`
	Attempts int       `json:"attempts"`
	Error    string    `json:"error,omitempty"`
}

func nameOf(n webhook.Name) receiverName { return receiverName{n.Realm, n.Receiver, n.MVPD} }

// pageSize is how many dead letters a page has, unless a call says so.
const pageSize = 100

// listEvents serves GET /admin/v1/events.
func listEvents(ctx context.Context, c *call) (any, error) {
	q, err := c.query("realm", "after", "limit")
	if err != nil {
		return nil, err
	}
	if err := c.knownRealm(q["realm"], true); err != nil {
		return nil, err
	}
	limit := pageSize
	if text, ok := q["limit"]; ok {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > webhook.MaxPage {
			return nil, badRequest("limit is not a number from 1 to %d", webhook.MaxPage)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	l, err := c.Events.List(ctx, q["realm"], q["after"], limit)
	if err != nil {
		return nil, err
	}
	list := eventList{Receivers: []receiverView{}, DeadLetters: []deadLetterView{}, Next: l.Next}
	for _, r := range l.Receivers {
		list.Receivers = append(list.Receivers, receiverView{nameOf(r.Name), r.Waiting, r.Oldest, r.Dead, r.Why})
	}
	for _, d := range l.Letters {
		list.DeadLetters = append(list.DeadLetters, deadLetterView{d.ID, d.Type, nameOf(d.Name), d.Happened, d.Died, d.Attempts, d.Why})
	}
	return list, nil
}

// knownRealm looks a realm up, for the audit line too.
func (c *call) knownRealm(realm string, optional bool) error {
	if realm == "" && optional {
		return nil
	}
	if _, ok := c.Settings().Realm(realm); !ok {
		return badRequest("there is no realm %q", realm)
	}
	c.note("realm", realm)
	return nil
}

// replayOrder is the body of replayEvents: an id, or a realm and all.
type replayOrder struct {
	ID    string `json:"id"`
	All   bool   `json:"all"`
	Realm string `json:"realm"`
	URL   string `json:"url"`
}

// replayed is the answer of POST /admin/v1/events/replay.
type replayed struct {
	Queued int `json:"queued"`
}

// replayEvents serves POST /admin/v1/events/replay: dead letters wait again.
func replayEvents(ctx context.Context, c *call) (any, error) {
	var in replayOrder
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	switch {
	case in.ID != "" && !in.All && in.Realm == "" && in.URL == "":
		if err := c.Events.Replay(ctx, in.ID); err != nil {
			return nil, err
		}
		c.note("event", in.ID)
		return replayed{1}, nil
	case in.ID != "" || !in.All:
		return nil, badRequest("either id, or all and realm are needed")
	}
	if err := c.knownRealm(in.Realm, false); err != nil {
		return nil, err
	}
	n, err := c.Events.ReplayAll(ctx, in.Realm, in.URL)
	if err != nil {
		return nil, err
	}
	c.note("queued", n)
	return replayed{n}, nil
}
