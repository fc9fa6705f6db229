package main

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

type eventsGroup struct {
	List   listEvents   `cmd:"" help:"Show what waits for each receiver, and dead letters: events that were given up."`
	Replay replayEvents `cmd:"" help:"Let dead letters wait again: they are sent at once, with the ids that they had."`
}

type listEvents struct {
	Realm  string `placeholder:"ID" help:"Only of this realm."`
	Failed bool   `help:"Only the dead letters, without what waits."`
}

// eventList is what GET /admin/v1/events tells.
type eventList struct {
	Receivers   []receiverView   `json:"receivers,omitzero"`
	DeadLetters []deadLetterView `json:"deadLetters"`
	Next        string           `json:"next,omitempty"`
}

// receiverName names a receiver; one that is not configured any more has no name.
type receiverName struct {
	Realm    string `json:"realm,omitempty"`
	Receiver string `json:"receiver,omitempty"`
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

// mostLetters bounds the dead letters that are shown.
const mostLetters = 10_000

// Run implements events list.
func (c *listEvents) Run(s *session) error {
	all, err := c.read(s)
	if err != nil {
		return err
	}
	if c.Failed {
		all.Receivers = nil
	}
	if s.json {
		return s.printJSON(all)
	}
	if !c.Failed {
		var rows [][]string
		for _, r := range all.Receivers {
			rows = append(rows, append(r.row(), strconv.Itoa(r.Waiting), age(r.Oldest), strconv.Itoa(r.Dead), orDash(r.Error)))
		}
		if err := s.table(nil, "REALM\tRECEIVER\tMVPD\tWAITING\tOLDEST\tDEAD\tERROR", rows); err != nil {
			return err
		}
	}
	if len(all.DeadLetters) == 0 {
		s.say("no dead letters")
		return nil
	}
	var rows [][]string
	for _, d := range all.DeadLetters {
		rows = append(rows, append([]string{d.ID, d.Type}, append(d.row(), age(&d.Happened), strconv.Itoa(d.Attempts), orDash(d.Error))...))
	}
	if err := s.table(nil, "DEAD LETTER\tTYPE\tREALM\tRECEIVER\tMVPD\tAGE\tATTEMPTS\tERROR", rows); err != nil {
		return err
	}
	if all.Next != "" {
		s.say("these are the first %d; there are more", len(all.DeadLetters))
	}
	return nil
}

// read reads page after page. What waits is on the first.
func (c *listEvents) read(s *session) (all eventList, err error) {
	all = eventList{Receivers: []receiverView{}, DeadLetters: []deadLetterView{}}
	for after := ""; ; after = all.Next {
		query := url.Values{"limit": {"500"}}
		for name, value := range map[string]string{"realm": c.Realm, "after": after} {
			if value != "" {
				query.Set(name, value)
			}
		}
		var page eventList
		if err := s.operate(http.MethodGet, "/admin/v1/events", query, nil, &page); err != nil {
			return all, err
		}
		all.Receivers = append(all.Receivers, page.Receivers...)
		all.DeadLetters = append(all.DeadLetters, page.DeadLetters...)
		if all.Next = page.Next; all.Next == "" || len(all.DeadLetters) >= mostLetters {
			return all, nil
		}
	}
}

func (n receiverName) row() []string {
	return []string{orDash(n.Realm), orDash(n.Receiver), orDash(n.MVPD)}
}

// age is how long ago something was.
func age(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return time.Since(*at).Round(time.Second).String()
}

type replayEvents struct {
	ID    string `arg:"" optional:"" name:"ID" help:"Id of a dead letter, as events list shows it."`
	All   bool   `help:"All of --realm instead."`
	Realm string `placeholder:"ID" help:"Realm of --all."`
	URL   string `name:"url" placeholder:"URL" help:"Only those for this receiver, with --all."`
}

// Validate makes a mistake in the arguments one in the command line.
func (c *replayEvents) Validate() error {
	switch {
	case c.ID != "" && !c.All && c.Realm == "" && c.URL == "", c.ID == "" && c.All && c.Realm != "":
		return nil
	}
	return errors.New("want the ID of a dead letter, or --all --realm ID [--url URL]")
}

// Run implements events replay.
func (c *replayEvents) Run(s *session) error {
	in := map[string]any{"id": c.ID}
	if c.All {
		in = map[string]any{"all": true, "realm": c.Realm, "url": c.URL}
	}
	var out struct {
		Queued int `json:"queued"`
	}
	if err := s.operate(http.MethodPost, "/admin/v1/events/replay", nil, in, &out); err != nil {
		return err
	}
	return s.print(strconv.Itoa(out.Queued), out)
}
