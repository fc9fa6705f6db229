package xacml

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"ssod/httpfront/mvpd"
)

// parallel is how many resources of one question are asked for at once.
const parallel = 8

// Options is what a [Client] needs. Now and Log are required.
type Options struct {
	URL    string
	Issuer string // how the decision point knows this service
	// Obligations are ids of obligations of permits that others see to.
	Obligations []string
	HTTP        *http.Client
	Now         func() time.Time
	// Log gets the permits that the decision point wants logged, and those that a
	// strange obligation makes denies.
	Log *slog.Logger
}

// Client asks one decision point. It is safe for concurrent use.
type Client struct{ Options }

// New returns a client.
func New(o Options) *Client { return &Client{o} }

// Decide answers for each resource, in their order.
func (c *Client) Decide(ctx context.Context, q mvpd.Question) ([]mvpd.Decision, error) {
	decisions := make([]mvpd.Decision, len(q.Resources))
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(parallel)
	for i, resource := range q.Resources {
		all.Go(func() (err error) {
			decisions[i], err = c.decide(ctx, &q, resource)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	return decisions, nil
}

func (c *Client) decide(ctx context.Context, question *mvpd.Question, resource string) (mvpd.Decision, error) {
	q := query{
		id: "_" + rand.Text(), issued: c.Now(), url: c.URL, issuer: c.Issuer,
		question: question, resource: resource,
	}
	document, err := c.send(ctx, q.envelope())
	if err != nil {
		return mvpd.Decision{}, err
	}
	r, err := c.read(document, &q)
	if err != nil {
		return mvpd.Decision{}, fmt.Errorf("the decision point's answer: %w", err)
	}
	return c.decision(ctx, &r, &q), nil
}

// send posts a document and returns the one of the answer. A SOAP fault comes with
// status 500 (SOAP 1.1, 6.2).
func (c *Client) send(ctx context.Context, document []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(document))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	r.Header.Set("SOAPAction", `"http://www.oasis-open.org/committees/security"`) // SAML 2.0 bindings, 3.2.3.3
	response, err := c.HTTP.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the decision point answered %d", response.StatusCode)
	case err != nil || !slices.Contains(mediaTypes, kind):
		return nil, errors.New("the decision point's answer is no SOAP document by its content type")
	}
	return io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
}

var mediaTypes = []string{"text/xml", "application/xml", "application/soap+xml"}
