package faulty

import "ssod/cluster"

// see runs f on what the handle's reads see.
func (h *handle) see(f func(*state)) {
	h.node.truth.mu.Lock()
	defer h.node.truth.mu.Unlock()
	f(h.view())
}

func (h *handle) Head(e cluster.Entity) (head cluster.Head, ok bool, err error) {
	h.see(func(s *state) { head, ok = s.head(e) })
	return head, ok, nil
}

func (h *handle) Records(e cluster.Entity, f func(part, value []byte) bool) error {
	var all []cluster.Record
	h.see(func(s *state) { all = s.records(e) })
	for _, r := range all {
		if !f([]byte(r.Part), r.Value) {
			return nil
		}
	}
	return nil
}

func (h *handle) Outcome(e cluster.Entity, r cluster.RequestID, step uint32) (result []byte, ok bool, err error) {
	h.see(func(s *state) {
		result, ok = s.outcomes[outcomeKey{e, r, step}]
		result = append([]byte(nil), result...)
	})
	return result, ok, nil
}

func (h *handle) Entities(kind, after string, f func(identity string, head cluster.Head) bool) error {
	var identities []string
	h.see(func(s *state) { identities = s.identities(kind, after) })
	for _, identity := range identities {
		head, ok, err := h.Head(cluster.Entity{Kind: kind, Identity: identity})
		if err != nil {
			return err
		}
		if ok && !f(identity, head) {
			return nil
		}
	}
	return nil
}
