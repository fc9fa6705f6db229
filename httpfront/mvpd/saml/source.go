package saml

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"ssod/httpfront/config"
)

// When metadata from a URL is fetched again.
const (
	minRefresh    = time.Hour // also where the provider says nothing
	maxRefresh    = 24 * time.Hour
	refreshRetry  = 10 * time.Second // after a failure
	refreshHurry  = time.Minute      // when a signature is by no known key
	fetchDeadline = 4 * time.Second
)

// errExpired says that metadata was good until a time that has passed.
var errExpired = errors.New("the provider's metadata has expired (validUntil)")

// source is where a provider's metadata comes from. It is safe for concurrent use.
type source interface {
	// describe returns what the provider said of itself last.
	describe(ctx context.Context) (*description, error)
	// hurry looks for newer metadata soon, because what the provider signs does not fit
	// to what is known. It reports whether there may be some.
	hurry(ctx context.Context) bool
}

func newSource(m *config.MVPD, client *http.Client, o Options) source {
	if m.MetadataFile == "" {
		s := &remote{url: m.MetadataURL, certFile: m.MetadataCertFile, id: m.ProviderEntityID, mvpd: m.ID, client: client, now: o.Now, log: o.Log, turn: make(chan struct{}, 1)}
		s.current.Store(&snapshot{})
		return s
	}
	paths := []string{m.MetadataFile}
	if m.MetadataCertFile != "" {
		paths = append(paths, m.MetadataCertFile)
	}
	return &local{&files[*description]{
		paths: paths, log: o.Log, mvpd: m.ID,
		read: func() (*description, error) { return readMetadata(m) },
	}, o.Now}
}

// readMetadata reads the description of a provider from a file.
func readMetadata(m *config.MVPD) (*description, error) {
	f, err := os.Open(m.MetadataFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxMetadata+1))
	if err != nil {
		return nil, err
	}
	by, err := signers(m.MetadataCertFile)
	if err != nil {
		return nil, err
	}
	d, err := parseMetadata(data, by, m.ProviderEntityID)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.MetadataFile, err)
	}
	return d, nil
}

// signers may sign metadata; none: it is not signed.
func signers(certFile string) ([]*x509.Certificate, error) {
	if certFile == "" {
		return nil, nil
	}
	return ReadCertificates(certFile)
}

// at returns a description if it is still good.
func (d *description) at(now time.Time) (*description, error) {
	if !d.until.IsZero() && !now.Before(d.until) {
		return nil, errExpired
	}
	return d, nil
}

// local is metadata in a file, which is read again when it changes.
type local struct {
	*files[*description]
	now func() time.Time
}

func (l *local) describe(context.Context) (*description, error) {
	d, err := l.get()
	if err != nil {
		return nil, err
	}
	return d.at(l.now())
}

func (l *local) hurry(context.Context) bool { return false }

// remote is metadata at a URL. While the provider is down, what it said last stays good
// until the time that it named.
type remote struct {
	url, certFile, mvpd string
	id                  string // of the provider in it; "" for the only one
	client              *http.Client
	now                 func() time.Time
	log                 *slog.Logger
	current             atomic.Pointer[snapshot]
	turn                chan struct{} // taken by the one who fetches
}

// snapshot is the outcome of the last fetch.
type snapshot struct {
	*description           // of the last one that went well; nil if none did
	failure      error     // of the last one
	fetched      time.Time // when it was
	again        time.Time // when to fetch next
}

// outcome is what there is, or why there is nothing.
func (r *remote) outcome(s *snapshot) (*description, error) {
	if s.description == nil {
		return nil, s.failure
	}
	return s.at(r.now())
}

func (r *remote) describe(ctx context.Context) (*description, error) {
	s, err := r.fetched(ctx, func(s *snapshot) bool { return r.now().Before(s.again) })
	if err != nil {
		return nil, err
	}
	return r.outcome(s)
}

func (r *remote) hurry(ctx context.Context) bool {
	before := r.current.Load()
	s, err := r.fetched(ctx, func(s *snapshot) bool { return r.now().Before(s.fetched.Add(refreshHurry)) })
	return err == nil && s != before && s.failure == nil
}

// fetched returns a snapshot that is fresh. One caller at a time fetches; meanwhile the
// others go on with what there is, or wait.
func (r *remote) fetched(ctx context.Context, fresh func(*snapshot) bool) (*snapshot, error) {
	s := r.current.Load()
	if fresh(s) {
		return s, nil
	}
	select {
	case r.turn <- struct{}{}:
	default:
		if s.description != nil {
			return s, nil
		}
		select {
		case r.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer func() { <-r.turn }()
	if s = r.current.Load(); !fresh(s) {
		s = r.renew(ctx, s)
		r.current.Store(s)
	}
	return s, nil
}

// renew fetches the metadata. A failure is remembered for a moment, so that a provider that
// is down is not asked by every login.
func (r *remote) renew(ctx context.Context, old *snapshot) *snapshot {
	// A browser that goes away ends no fetch for which others wait.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchDeadline)
	defer cancel()
	now := r.now()
	d, err := r.fetch(ctx)
	if err == nil {
		_, err = d.at(now)
	}
	if err != nil {
		r.log.Warn("the metadata of a TV provider cannot be used", "mvpd", r.mvpd, "known", old.description != nil, "error", err)
		return &snapshot{old.description, err, now, now.Add(refreshRetry)}
	}
	return &snapshot{d, nil, now, now.Add(d.refresh(now))}
}

// refresh is after how long to fetch again: what the provider says, within bounds, and in
// time before the description ends.
func (d *description) refresh(now time.Time) time.Duration {
	wait := min(max(d.cache, minRefresh), maxRefresh)
	if d.until.IsZero() {
		return wait
	}
	half := d.until.Sub(now) / 2
	if d.cache == 0 && half > wait {
		return min(half, maxRefresh)
	}
	return min(wait, max(half, refreshHurry))
}

func (r *remote) fetch(ctx context.Context) (*description, error) {
	by, err := signers(r.certFile)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/samlmetadata+xml, application/xml, text/xml")
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %d", r.url, response.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxMetadata+1))
	if err != nil {
		return nil, err
	}
	d, err := parseMetadata(data, by, r.id)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.url, err)
	}
	return d, nil
}
