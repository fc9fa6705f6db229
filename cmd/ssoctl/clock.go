package main

import (
	"net/http"
	"time"
)

type clockGroup struct {
	Accept acceptClock `cmd:"" help:"Confirm that the clock is right after a leap: members, keys and records may be dropped by it."`
	Reset  resetClock  `cmd:"" help:"Set the time of the shards back to what the clocks say, after a clock that was ahead."`
}

type acceptClock struct{}

// Run implements clock accept.
func (acceptClock) Run(s *session) error {
	var answer struct {
		Seconds int64 `json:"acceptedSeconds"`
	}
	if err := s.operate(http.MethodPost, "/admin/v1/clock/accept", nil, nil, &answer); err != nil {
		return err
	}
	s.say("the clock is accepted; %v of it were not confirmed", time.Duration(answer.Seconds)*time.Second)
	return nil
}

type resetClock struct{}

// Run implements clock reset.
func (resetClock) Run(s *session) error {
	if err := s.operate(http.MethodPost, "/admin/v1/clock/reset", nil, nil, nil); err != nil {
		return err
	}
	s.say("no shard's time is ahead of the clocks any more; members were kept, link codes that were made ahead are gone")
	return nil
}
