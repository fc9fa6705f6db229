package registration

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
)

// The meta tables.
const (
	statementsTable        = "statements"
	revokedStatementsTable = "revoked-statements"
	revokedClientsTable    = "revoked-clients"
)

// IsRevocation reports whether a table contains revocations.
func IsRevocation(table string) bool {
	return table == revokedStatementsTable || table == revokedClientsTable
}

// Statement is what an operator allowed an application.
type Statement struct {
	ID     string
	record *StatementRecord
}

// ClientName is what people call the application.
func (s *Statement) ClientName() string { return s.record.ClientName }

// Covers reports whether the statement is good for a service provider.
func (s *Statement) Covers(serviceProvider string) bool {
	return slices.Contains(s.record.ServiceProviders, serviceProvider)
}

// MayAssertIdentity reports whether the statement's clients may assert who their viewer is.
func (s *Statement) MayAssertIdentity() bool { return !s.record.MayNotAssertIdentity }

func (s *Statement) grants(grantType string) bool {
	return slices.Contains(s.record.GrantTypes, grantType)
}

// view is the three tables at one moment, as each request needs them. It does
// not change.
type view struct {
	version    uint64
	statements map[string]*Statement // those that are not revoked
	revoked    map[string]bool       // statements
	clients    map[string]bool       // revoked ones
}

// view returns the current view. The first call after a change makes it.
func (s *Service) view() *view {
	v := s.current.Load()
	if v.version == s.version.Load() {
		return v
	}
	s.building.Lock()
	defer s.building.Unlock()
	if v = s.current.Load(); v.version == s.version.Load() {
		return v
	}
	v, err := s.build()
	if err != nil {
		s.log.Error("some software statements are not readable", "error", err)
	}
	s.current.Store(v)
	return v
}

// catchUpTime bounds the wait for a statement that is not known here.
const catchUpTime = 2 * time.Second

// viewOf is the view to judge a statement by that a signature of ours names. One
// that this node does not know may be younger than its tables, if it was paused
// or cut off for a moment: then it catches up first, or fails with ErrBehind.
func (s *Service) viewOf(statement string) (*view, error) {
	v := s.view()
	if v.statements[statement] != nil || v.revoked[statement] || s.catchUp == nil {
		return v, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), catchUpTime)
	defer cancel()
	if err := s.catchUp(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBehind, err)
	}
	s.version.Add(1) // whoever watches may not have been told yet
	return s.view(), nil
}

// build reads the tables. A statement that cannot be read is left out: its
// clients are refused.
func (s *Service) build() (*view, error) {
	v := &view{
		version:    s.version.Load(), // before the tables: a later change is seen by the next caller
		statements: make(map[string]*Statement), revoked: s.ids(revokedStatementsTable), clients: s.ids(revokedClientsTable),
	}
	var bad error
	for id, raw := range s.store.All(statementsTable) {
		record := &StatementRecord{}
		if err := proto.Unmarshal(raw, record); err != nil {
			bad = fmt.Errorf("statement %s: %w", id, err)
			continue
		}
		if !v.revoked[id] {
			v.statements[id] = &Statement{ID: id, record: record}
		}
	}
	return v, bad
}

func (s *Service) ids(table string) map[string]bool {
	ids := make(map[string]bool)
	for id := range s.store.All(table) {
		ids[id] = true
	}
	return ids
}
