package keys

import "time"

// settle is how long a key that a new configuration asks for is published
// before it signs, so that every node has it by then.
const settle = 10 * time.Second

// job is a key that is to be made.
type job struct {
	wanted
	order string        // the rotation that it is for; empty: none
	after time.Duration // how long it is published before it signs
}

// job is the next key that a group needs; false when it needs none, or can have no
// more.
func (s *snapshot) job(want wanted, now time.Time) (job, bool) {
	g := s.groups[want.groupID]
	newest := g.newest()
	j := job{wanted: want}
	for _, o := range s.orders {
		if o.concerns(want.groupID) && !g.madeFor(o.id) {
			j.order, j.after = o.id, o.Overlap
			break
		}
	}
	switch {
	case newest == nil:
		j.after = 0 // there is nothing to sign with meanwhile
		return j, true
	case g.count(now) >= want.room():
		return j, false
	case newest.algorithm != want.algorithm && want.use != LinkCode:
		if j.order == "" {
			j.after = settle
		}
		return j, true
	}
	return j, j.order != ""
}

// due are the keys to make, one of each group: the quick ones before those that take long.
func (s *snapshot) due(now time.Time) (jobs []job) {
	var slow []job
	for _, want := range s.wants.all {
		switch j, ok := s.job(want, now); {
		case ok && want.slow():
			slow = append(slow, j)
		case ok:
			jobs = append(jobs, j)
		}
	}
	return append(jobs, slow...)
}

// Progress is how far the keys are that take long to make, and rotations.
type Progress struct {
	Made   int `json:"made"`
	Wanted int `json:"wanted"`
}

// Done reports whether all keys are there.
func (p Progress) Done() bool { return p.Made == p.Wanted }

// Progress is how many keys exist of those that the configuration and the running rotations
// ask for.
func (r *Ring) Progress() (p Progress) {
	s, now := r.snapshot(), r.now()
	for _, want := range s.wants.all {
		j, pending := s.job(want, now)
		s.rotated(want, &p, pending)
		pending = pending && (j.order == "" || s.groups[want.groupID].newest() == nil)
		if pending || want.slow() && want.realm != "" {
			p.Wanted++
		}
		if !pending && want.slow() && want.realm != "" {
			p.Made++
		}
	}
	return p
}

// rotated counts what rotations want of a group.
func (s *snapshot) rotated(want wanted, p *Progress, pending bool) {
	for _, o := range s.orders {
		if !o.concerns(want.groupID) {
			continue
		}
		p.Wanted++
		if !pending || s.groups[want.groupID].madeFor(o.id) {
			p.Made++
		}
	}
}
