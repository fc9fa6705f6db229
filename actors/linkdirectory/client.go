package linkdirectory

import (
	"bytes"
	"crypto/cipher"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors"
	"ssod/cluster"
)

// KindName is the name of the kind in addresses and keys.
const KindName = "linkdirectory"

// Steps number the asks that one request sends to the directory.
const (
	StepResolve = 0
	StepReserve = 1
	StepSettle  = 2
	StepRetire  = 3
	stepCharge  = 4
)

// Keys has the key under which a realm's link codes are derived and hashed; nil for a
// realm that is not configured. When it is revoked and replaced, the codes that were made
// under it become invalid.
type Keys interface {
	LinkCodeKey(realm string) []byte
}

// Client asks the link directories of all realms. It turns codes into hashes
// before they leave, so no code is ever in a message.
type Client struct {
	asker  actors.Asker
	keys   Keys
	coders sync.Map // realm -> *coders
}

// NewClient returns a client that derives codes under the realms' keys.
func NewClient(asker actors.Asker, keys Keys) *Client { return &Client{asker: asker, keys: keys} }

// coder is what turns a realm's codes into digests. It is not safe for concurrent
// use.
type coder struct {
	*deriver
	spacing *spacer
	owners  cipher.AEAD
}

func newCoder(key []byte) *coder {
	d := newDeriver(key)
	return &coder{d, newSpacer(d), newOwners(d)}
}

// coders are those of one key.
type coders struct {
	sync.Pool
	key []byte
}

// coder borrows a realm's coder from the returned pool: making one costs more than using
// it.
func (c *Client) coder(realm string) (*coder, *sync.Pool) {
	key := c.keys.LinkCodeKey(realm)
	if key == nil { // not configured now; it may be later
		return newCoder(nil), new(sync.Pool)
	}
	known, ok := c.coders.Load(realm)
	if !ok || !bytes.Equal(known.(*coders).key, key) {
		made := &coders{key: key}
		made.New = func() any { return newCoder(key) }
		c.coders.Store(realm, made)
		known = made
	}
	pool := &known.(*coders).Pool
	return pool.Get().(*coder), pool
}

// Wanted says what code a realm's configuration asks for.
type Wanted struct {
	Length   int
	Alphabet Alphabet
	TTL      time.Duration
	MaxLive  int
	Address  netip.Addr // of the device that asks; the code remembers its network
	// WrongHits is the expected number of wrong hits a day that the realm accepts.
	WrongHits float64
}

// Reserve is the command that takes a free code for a profile of the realm.
func (c *Client) Reserve(realm, namespace, subject string, w Wanted) *Reserve {
	d, pool := c.coder(realm)
	defer pool.Put(d)
	return &Reserve{
		Owner:  d.seal(namespace, subject),
		Length: int32(w.Length), Alphanumeric: w.Alphabet == Alphanumeric,
		TtlMs: w.TTL.Milliseconds(), MaxLive: int32(w.MaxLive), Network: d.network(w.Address), WrongHits: encodeHits(w.WrongHits),
	}
}

// Text is the code that a request has reserved, from what the answer says of it.
func (c *Client) Text(realm string, request cluster.RequestID, attempt, length int32, alphanumeric bool) string {
	d, pool := c.coder(realm)
	defer pool.Put(d)
	class := classOf(int(length), alphanumeric)
	return d.code(request, int(attempt), class.length(), class.alphabet())
}

// Guess is a code as a viewer typed it, and the device that sent it.
type Guess struct {
	Typed   string     // the X-SSO-LINK header
	Device  []byte     // decoded device identifier
	Address netip.Addr // of the device; see [addressPrefixes]
	// DenyOther says that codes of other networks are not found, which costs
	// what a wrong code costs.
	DenyOther bool
	// Failed guesses allowed per device and address in 15 minutes.
	PerDevice, PerAddress int
	// WrongHits is the expected number of wrong hits a day that the realm accepts.
	WrongHits float64
}

// LogValue keeps the code out of logs.
func (g Guess) LogValue() slog.Value { return slog.StringValue("guess of a link code") }

// Resolve is the command that charges a guess and finds the profile of a code. A guess
// that found its code is refunded with [Settle] under the same request id.
func (c *Client) Resolve(realm string, g Guess) *Resolve {
	d, pool := c.coder(realm)
	defer pool.Put(d)
	code, wellFormed := Normalise(g.Typed)
	m := &Resolve{
		Length:    int32(len(code)),
		DeviceKey: d.key(purposeDevice, g.Device), AddressKeys: d.addressKeys(g.Address), Network: d.network(g.Address),
		DenyOther: g.DenyOther,
		PerDevice: int32(g.PerDevice), PerAddress: int32(g.PerAddress), WrongHits: encodeHits(g.WrongHits),
	}
	if wellFormed {
		hash := d.hash(code)
		m.CodeHash = hash[:]
		patterns := d.spacing.of(code)
		m.Patterns = patterns[:len(code)]
		m.Digits, m.Alphanumeric = Digits.spells(code), Alphanumeric.spells(code)
	}
	return m
}

// Guesser names what [Client.Charge] charges for a guess: keyed digests, no address.
func (m *Resolve) Guesser() []byte {
	return encode(&Guesser{DeviceKey: m.GetDeviceKey(), AddressKeys: m.GetAddressKeys()})
}

// Owner opens the name of the profile that a code belongs to. The directory may be
// behind: the profile alone decides whether the code can be redeemed.
func (c *Client) Owner(realm string, sealed []byte) (namespace, subject string, err error) {
	d, pool := c.coder(realm)
	defer pool.Put(d)
	return d.open(sealed)
}

// Hash is what stands for a typed code, nil when it cannot be one. The directory is not
// asked and nothing is charged: it is for the profile that has the code.
func (c *Client) Hash(realm, typed string) []byte {
	code, wellFormed := Normalise(typed)
	if !wellFormed {
		return nil
	}
	d, pool := c.coder(realm)
	defer pool.Put(d)
	hash := d.hash(code)
	return hash[:]
}

// Retire gives up codes, without waiting. When that is lost a code stays reserved until
// it expires.
func (c *Client) Retire(request cluster.RequestID, realm string, hashes ...[]byte) {
	if len(hashes) > 0 {
		c.tell(request, realm, StepRetire, &Retire{CodeHash: hashes})
	}
}

// Abandon gives up the code that a request has reserved, if any, without waiting: it is
// not redeemable and never will be.
func (c *Client) Abandon(request cluster.RequestID, realm string) {
	c.tell(request, realm, StepRetire, &Retire{Reserved: true})
}

// Charge counts a failed guess of a guesser whose guess had found its code, without
// waiting: the owner of the code rejected it.
func (c *Client) Charge(request cluster.RequestID, realm string, guesser []byte) {
	c.tell(request, realm, stepCharge, &Charge{Guesser: guesser})
}

func (c *Client) tell(request cluster.RequestID, realm string, step uint32, command proto.Message) {
	c.asker.Tell(Address(realm), request, step, command)
}

// Address is where the link directory of a realm is asked.
func Address(realm string) actors.Address {
	return actors.Address{Kind: KindName, Identity: actors.Identity{realm}}
}
