package keys

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/protobuf/proto"

	"ssod/httpfront/token/jose"
	"ssod/httpfront/token/keys/sealing"
)

// Use is what a key is for. Its text is part of the admin API and of stored
// records.
type Use string

// The uses of keys. Service, media, link-code and audit keys belong to one realm,
// the others to the cluster.
const (
	Service   Use = "service"   // signs service tokens
	Access    Use = "access"    // signs access tokens
	Client    Use = "client"    // derives client secrets
	Statement Use = "statement" // signs software statements
	Media     Use = "media"     // signs media tokens, which are no JWS
	Audit     Use = "audit"     // names viewers in audit lines
	LinkCode  Use = "linkcode"  // derives and hashes link codes; changes only when revoked
)

// typ is the media type in the JOSE header of what the key signs (RFC 8725,
// 3.11): a token of one kind is never taken for one of another kind.
func (u Use) typ() string {
	switch u {
	case Access:
		return typAccess
	case Statement:
		return typStatement
	default:
		return typService
	}
}

const (
	typService   = "JWT"
	typAccess    = "at+jwt"
	typStatement = "software-statement+jwt"
)

// key is one stored key, opened. It does not change.
type key struct {
	material
	id        string
	use       Use
	realm     string
	algorithm string
	number    int64
	created   time.Time
	signFrom  time.Time
	revoked   time.Time // zero: not revoked
	order     string    // the rotation that it was made for; empty: none

	method  jwt.SigningMethod // nil when nothing is signed
	private any               // what method takes
	public  jose.Key
	macs    *sync.Pool // of HMACs under the key, with which HS256 signs
	// The encoded JOSE headers, with the dot that follows them.
	header, headerNoKid []byte

	sealedBy uint64 // number of the sealing key; 0: there is nothing sealed

	record []byte // as stored
}

// record is what is stored of a new key that signs from the given time.
func (r *Ring) record(s *snapshot, j job, m material, number int64, signFrom time.Time) (string, *Record, error) {
	secret, err := m.encode()
	if err != nil {
		return "", nil, fmt.Errorf("encode a key for %s: %w", j.groupID, err)
	}
	id := m.thumbprint()
	record := &Record{
		Use: string(j.use), Realm: j.realm, Algorithm: j.algorithm, Number: number,
		CreatedMs: r.now().UnixMilli(), SignFromMs: signFrom.UnixMilli(), Order: j.order,
	}
	if record.Sealed, err = s.sealing.Seal(secret, sealLabel(id, record)); err != nil {
		return "", nil, fmt.Errorf("seal a key for %s: %w", j.groupID, err)
	}
	return id, record, nil
}

// openKey reads a stored key. A revoked one has no material left.
func openKey(view *sealing.View, id string, raw []byte) (*key, error) {
	var record Record
	if err := proto.Unmarshal(raw, &record); err != nil {
		return nil, fmt.Errorf("key %s: %w", id, ErrSealed)
	}
	k := &key{
		id: id, use: Use(record.Use), realm: record.Realm, algorithm: record.Algorithm, number: record.Number, order: record.Order,
		created: time.UnixMilli(record.CreatedMs).UTC(), signFrom: time.UnixMilli(record.SignFromMs).UTC(),
		record: bytes.Clone(raw),
	}
	if record.RevokedMs != 0 {
		k.revoked = time.UnixMilli(record.RevokedMs).UTC()
		return k, nil
	}
	secret, err := view.Open(record.Sealed, sealLabel(id, &record))
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", id, err)
	}
	k.sealedBy, _ = sealing.NumberOf(record.Sealed)
	if k.material, err = decodeMaterial(k.algorithm, secret); err != nil {
		return nil, fmt.Errorf("key %s: %w", id, err)
	}
	if k.algorithm != "" {
		k.public = jose.Key{ID: id, Algorithm: k.algorithm}
		k.method, k.private, k.public.Material = k.signer()
		k.macs = &sync.Pool{New: func() any { return hmac.New(sha256.New, k.oct) }}
		k.header, k.headerNoKid = k.encodeHeader(id), k.encodeHeader("")
	}
	return k, nil
}

// sealedBy is the number of the sealing key of a record that does not open.
func sealedBy(raw []byte) uint64 {
	var record Record
	if proto.Unmarshal(raw, &record) != nil {
		return 0
	}
	number, _ := sealing.NumberOf(record.Sealed)
	return number
}

// encodeHeader returns the JOSE header with its dot. The members of the plain
// one are in the order that the documented sample tokens have.
func (k *key) encodeHeader(kid string) []byte {
	header := `{"alg":"` + k.algorithm + `","typ":"` + k.use.typ() + `"`
	if kid != "" {
		header += `,"kid":"` + kid + `"`
	}
	return append(b64.AppendEncode(nil, []byte(header+"}")), '.')
}

// sign returns the token of an encoded header and a payload. It works in the
// room behind payload, if there is enough.
func (k *key) sign(header, payload []byte) (string, error) {
	token := append(payload[len(payload):], header...)
	token = b64.AppendEncode(token, payload)
	var room [sha256.Size]byte
	signature, err := k.signature(token, room[:0])
	if err != nil {
		return "", err
	}
	return string(b64.AppendEncode(append(token, '.'), signature)), nil
}

// signature signs a text and appends to b. HS256 signs every refresh: it takes
// an HMAC that is keyed already, which halves the cost.
func (k *key) signature(text, b []byte) ([]byte, error) {
	if k.oct == nil {
		return k.method.Sign(string(text), k.private)
	}
	mac := k.macs.Get().(hash.Hash)
	defer k.macs.Put(mac)
	mac.Reset()
	mac.Write(text)
	return mac.Sum(b), nil
}

func (k *key) isRevoked() bool { return !k.revoked.IsZero() }

// served reports whether the key ever signed, or will.
func (k *key) served() bool { return !k.isRevoked() || k.revoked.After(k.signFrom) }
