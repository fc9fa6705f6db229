// Package authzen asks a policy decision point whether a viewer may watch, with the
// Authorization API of the OpenID Foundation, AuthZEN 1.0.
//
// Each resource is an access evaluation of its own (section 6):
//
//	POST {authzURL}
//	{"subject":  {"type": "user", "id": userID},
//	 "action":   {"name": "view"},
//	 "resource": {"type": "channel", "id": resource},
//	 "context":  {"device": {"id", "type", "name"}, "clientAddress",
//	              "serviceProvider", "preauthorize"}}
//
// The answer is a JSON document, {"decision": true or false}, which is read strictly:
// by its content type, at most 64 KiB, each name once. Of a deny its context may say
// more: reason_user, a text or texts by language, is what viewers read; the other
// members are ours: reason is parental_controls, home_only, reauthenticate or
// unknown_user, and upgrade is the address of an offer. A permit lasts for the max-age
// of the answer's Cache-Control, if it has one.
package authzen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"ssod/httpfront/mvpd"
	"ssod/httpfront/strictjson"
)

// parallel is how many resources of one call are asked for at once.
const parallel = 8

// Client asks one decision point. It is safe for concurrent use.
type Client struct {
	url    string
	client *http.Client
}

// New returns a client for the URL of access evaluations.
func New(url string, client *http.Client) *Client { return &Client{url, client} }

// Decide answers for each resource, in their order.
func (c *Client) Decide(ctx context.Context, q mvpd.Question) ([]mvpd.Decision, error) {
	decisions := make([]mvpd.Decision, len(q.Resources))
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(parallel)
	for i, resource := range q.Resources {
		all.Go(func() (err error) {
			decisions[i], err = c.evaluate(ctx, q, resource)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	return decisions, nil
}

type entity struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type evaluation struct {
	Subject  entity `json:"subject"`
	Action   action `json:"action"`
	Resource entity `json:"resource"`
	Context  about  `json:"context"`
}

type action struct {
	Name string `json:"name"`
}

type about struct {
	Device          device `json:"device"`
	ClientAddress   string `json:"clientAddress,omitempty"`
	ServiceProvider string `json:"serviceProvider"`
	Preauthorize    bool   `json:"preauthorize"`
}

type device struct {
	ID   string `json:"id"`
	Type string `json:"type,omitempty"`
	Name string `json:"name,omitempty"`
}

func question(q mvpd.Question, resource string) evaluation {
	e := evaluation{
		Subject: entity{"user", q.Subject}, Action: action{"view"}, Resource: entity{"channel", resource},
		Context: about{
			Device:          device{q.Device.ID, q.Device.Type, q.Device.Name},
			ServiceProvider: q.ServiceProvider, Preauthorize: q.Preauthorize,
		},
	}
	if q.Address.IsValid() {
		e.Context.ClientAddress = q.Address.String()
	}
	return e
}

// errAnswer says that an answer is no decision.
var errAnswer = errors.New("the decision point's answer is no decision")

func (c *Client) evaluate(ctx context.Context, q mvpd.Question, resource string) (mvpd.Decision, error) {
	body, err := json.Marshal(question(q, resource))
	if err != nil {
		return mvpd.Decision{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return mvpd.Decision{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	response, err := c.client.Do(r)
	if err != nil {
		return mvpd.Decision{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return mvpd.Decision{}, fmt.Errorf("the decision point answered %d", response.StatusCode)
	}
	said, err := read(response)
	if err != nil {
		return mvpd.Decision{}, err
	}
	return decision(said, q.Languages, maxAge(response.Header)), nil
}

// maxAnswer is the longest answer in bytes.
const maxAnswer = 64 << 10

// read reads the document of an answer, which has a decision.
func read(response *http.Response) (strictjson.Value, error) {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return strictjson.Value{}, errors.New("the decision point's answer is no JSON by its content type")
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return strictjson.Value{}, err
	}
	said, err := strictjson.Parse(body)
	if _, ok := member(said, "decision").Bool(); err != nil || !ok || len(body) > maxAnswer {
		return strictjson.Value{}, errAnswer
	}
	return said, nil
}

// member is a member of an object; the zero value, which is nothing, if it has none.
func member(v strictjson.Value, name string) strictjson.Value {
	found, _ := v.Member(name)
	return found
}

// reasons are the verdicts of denies; any other reason is a plain deny.
var reasons = map[string]mvpd.Verdict{
	"parental_controls": mvpd.ParentalControls,
	"home_only":         mvpd.HomeOnly,
	"reauthenticate":    mvpd.SessionInvalidated,
	"unknown_user":      mvpd.UnknownIdentity,
}

func decision(said strictjson.Value, languages string, ttl time.Duration) mvpd.Decision {
	if permitted, _ := member(said, "decision").Bool(); permitted {
		return mvpd.Decision{Verdict: mvpd.Permit, TTL: ttl}
	}
	why := member(said, "context")
	reason, _ := member(why, "reason").Text()
	verdict, ok := reasons[reason]
	if !ok {
		verdict = mvpd.Denied
	}
	upgrade, _ := member(why, "upgrade").Text()
	return mvpd.Decision{Verdict: verdict, Message: mvpd.InLanguage(languages, texts(member(why, "reason_user"))), Upgrade: upgrade}
}

// texts are a text, or texts by language in the order of the answer.
func texts(v strictjson.Value) []mvpd.Text {
	if one, ok := v.Text(); ok {
		return []mvpd.Text{{Text: one}}
	}
	var all []mvpd.Text
	for language, v := range v.Members() {
		if text, ok := v.Text(); ok {
			all = append(all, mvpd.Text{Language: string(language), Text: text})
		}
	}
	return all
}

// maxAge is for how long an answer is good; 0: it does not say. An answer that must
// not be kept is good for a second, since 0 has a meaning of its own.
func maxAge(h http.Header) time.Duration {
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		seconds, err := strconv.Atoi(value)
		switch {
		case name == "no-store", name == "no-cache", name == "max-age" && err == nil && seconds <= 0:
			return time.Second
		case name == "max-age" && err == nil:
			return time.Duration(min(seconds, 10*365*24*3600)) * time.Second
		}
	}
	return 0
}
