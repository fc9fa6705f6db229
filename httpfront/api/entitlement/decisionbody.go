package entitlement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"

	"ssod/httpfront/api"
	"ssod/httpfront/strictjson"
	"ssod/httpfront/token/media"
	"ssod/httpfront/wire"
)

// Bounds of what a call may name. How many count is a setting; these only bound
// the answer.
const (
	maxResources = 100
	maxResource  = 4 << 10
)

// resources reads the body of a call for decisions.
func resources(r *api.Request) ([]string, error) {
	if r.Repeated(wire.ContentType) || !api.IsJSON(r.Header(wire.ContentType)) {
		return nil, api.ErrResourcesBody
	}
	body, err := strictjson.Parse(r.Body)
	if err != nil {
		return nil, api.ErrResources
	}
	list, _ := body.Member("resources")
	names, ok := list.Texts()
	if !ok || list.Kind() != strictjson.Array || len(names) == 0 || len(names) > maxResources {
		return nil, api.ErrResources
	}
	for _, name := range names {
		if name == "" || len(name) > maxResource || !media.Representable(name) {
			return nil, api.ErrResources
		}
	}
	return names, nil
}

// sign adds a media token to each permit.
func (s *Service) sign(ctx context.Context, r *api.Request, q *asking, found finding, decisions []decision) error {
	for i := range decisions {
		d := &decisions[i]
		if d.code != "" {
			continue
		}
		signed, err := s.Media.Sign(ctx, r.Realm.ID, media.Token{
			Session: guid(found.GetId()), ServiceProvider: q.app.provider.ID, Resource: q.resources[i],
			MVPD: r.Item, Issued: r.Received, TTL: r.Realm.MediaToken.TTL,
		})
		if err != nil {
			return err
		}
		d.token, d.tokenFrom, d.tokenUntil = signed.Serialized, signed.NotBefore, signed.NotAfter
	}
	return nil
}

// guid names a login in media tokens, which apps may log: it is not its id.
func guid(login []byte) string {
	sum := sha256.Sum256(append([]byte("sessionGUID\x00"), login...))
	return hex.EncodeToString(sum[:16])
}

// answerDecisions appends the decisions, in the order in which they were asked
// for.
func answerDecisions(r *api.Request, q *asking, decisions []decision) api.Response {
	b := append(r.Buffer, `{"decisions":[`...)
	for i := range decisions {
		if i > 0 {
			b = append(b, ',')
		}
		b = strictjson.AppendString(append(b, `{"resource":`...), q.resources[i])
		b = strictjson.AppendString(append(b, `,"serviceProvider":`...), q.app.provider.ID)
		b = strictjson.AppendString(append(b, `,"mvpd":`...), r.Item)
		b = append(append(append(b, `,"source":"`...), sources[decisions[i].by]...), '"')
		b = append(decisions[i].append(b, r, q.informs), '}')
	}
	return api.Response{Status: http.StatusOK, Body: append(b, "]}"...)}
}

func (d *decision) append(b []byte, r *api.Request, informs bool) []byte {
	switch {
	case d.code != "":
		b = append(b, `,"authorized":false,"error":`...)
		return api.Item(d.code).With(d.details).AppendBody(b, api.V2, r.Config.HelpURL, r)
	case informs:
		return append(b, `,"authorized":true`...)
	}
	b = strconv.AppendInt(append(b, `,"authorized":true,"token":{"notBefore":`...), d.tokenFrom.UnixMilli(), 10)
	b = strconv.AppendInt(append(b, `,"notAfter":`...), d.tokenUntil.UnixMilli(), 10)
	b = append(append(b, `,"serializedToken":"`...), d.token...) // Base64
	if b = append(b, `"}`...); d.permit == (permit{}) {
		return b
	}
	b = strconv.AppendInt(append(b, `,"notBefore":`...), d.permit.notBefore.UnixMilli(), 10)
	return strconv.AppendInt(append(b, `,"notAfter":`...), d.permit.notAfter.UnixMilli(), 10)
}
