package admin

import (
	"context"
	"time"

	"ssod/httpfront/api/registration"
	"ssod/httpfront/token/keys"
)

func notFound(context.Context, *call) (any, error) { return nil, errNotFound }

// createStatement serves POST /admin/v1/software-statements.
func createStatement(ctx context.Context, c *call) (any, error) {
	var in registration.StatementRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	statement, err := c.Registration.CreateStatement(ctx, in)
	if err != nil {
		return nil, err
	}
	c.note("statement", statement.ID)
	return created{statement}, nil
}

// ended is the handler of what ends one thing for good. The path names it under name,
// and the audit line, once it is known to be real, as what.
func ended(name, what string, end func(c *call, ctx context.Context, id string) error) handler {
	return func(ctx context.Context, c *call) (any, error) {
		id := c.PathValue(name)
		if err := end(c, ctx, id); err != nil {
			return nil, err
		}
		c.note(what, id)
		return nil, nil
	}
}

// revokeStatement serves DELETE /admin/v1/software-statements/{id}.
func (c *call) revokeStatement(ctx context.Context, id string) error {
	return c.Registration.RevokeStatement(ctx, id)
}

// revokeClient serves DELETE /admin/v1/clients/{clientId}.
func (c *call) revokeClient(ctx context.Context, id string) error {
	return c.Registration.RevokeClient(ctx, id)
}

// revokeKey serves DELETE /admin/v1/keys/{kid}.
func (c *call) revokeKey(ctx context.Context, kid string) error { return c.Keys.Revoke(ctx, kid) }

// keyList is the answer of GET /admin/v1/keys.
type keyList struct {
	Keys []keys.Info `json:"keys"`
}

// listKeys serves GET /admin/v1/keys.
func listKeys(_ context.Context, c *call) (any, error) {
	if _, err := c.query(); err != nil {
		return nil, err
	}
	return keyList{c.Keys.List()}, nil
}

// Overlap is how long a new key is published before it signs.
const (
	defaultOverlap = 10 * time.Minute
	maxOverlap     = 30 * 24 * time.Hour
)

// rotateKeys serves POST /admin/v1/keys/rotate.
func rotateKeys(ctx context.Context, c *call) (any, error) {
	rotation, err := c.rotation()
	if err != nil {
		return nil, err
	}
	rotated, err := c.Keys.Rotate(ctx, rotation)
	if err != nil {
		return nil, err
	}
	c.note("realm", rotation.Realm)
	c.note("use", rotation.Use)
	c.note("rotation", rotated.ID)
	if rotated.Slow <= fewKeys {
		waiting, cancel := context.WithTimeout(ctx, settling)
		defer cancel()
		rotated.Done = c.Keys.AwaitRotated(waiting, rotated.ID)
	}
	answer := keyRotation{keyList{c.Keys.List()}, rotated}
	if !rotated.Done {
		return accepted{answer}, nil
	}
	return answer, nil
}

// settling is how long the answer to a rotation waits for its keys to be on every
// node: a node that died a moment ago counts as one for up to ten seconds.
const settling = 12 * time.Second

// fewKeys is how many slow keys a rotation makes before it is answered; the others follow
// in the background.
const fewKeys = 8

// keyRotation is the answer of POST /admin/v1/keys/rotate: the keys there are by now,
// and whether those are all.
type keyRotation struct {
	keyList
	Rotation keys.Rotated `json:"rotation"`
}

func (c *call) rotation() (keys.Rotation, error) {
	q, err := c.query("realm", "use", "overlap")
	if err != nil {
		return keys.Rotation{}, err
	}
	r := keys.Rotation{Realm: q["realm"], Use: keys.Use(q["use"]), Overlap: defaultOverlap}
	switch r.Use {
	case "", keys.Service, keys.Media, keys.Access, keys.Client, keys.Statement, keys.Audit:
	default:
		return r, badRequest("use %q is not one of service, media, access, client, statement, audit", r.Use)
	}
	if _, ok := c.Settings().Realm(r.Realm); r.Realm != "" && !ok {
		return r, badRequest("there is no realm %q", r.Realm)
	}
	if text, ok := q["overlap"]; ok {
		if r.Overlap, err = time.ParseDuration(text); err != nil || r.Overlap < 0 || r.Overlap > maxOverlap {
			return r, badRequest("overlap %q is not a duration from 0s to %v", text, maxOverlap)
		}
	}
	return r, nil
}

// reloaded is the answer of POST /admin/v1/reload.
type reloaded struct {
	Hash     string   `json:"hash"`
	Warnings []string `json:"warnings"`
}

// reload serves POST /admin/v1/reload.
func reload(ctx context.Context, c *call) (any, error) {
	cfg, err := c.Reload(ctx)
	if err != nil {
		return nil, err
	}
	answer := reloaded{Hash: cfg.Hash, Warnings: []string{}}
	for _, w := range cfg.Warnings {
		answer.Warnings = append(answer.Warnings, w.String())
	}
	return answer, nil
}
