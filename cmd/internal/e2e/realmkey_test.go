package e2e

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/protobuf/proto"

	"ssod/cluster/meta"
	"ssod/cluster/replica"
	"ssod/cluster/replica/core"
	"ssod/httpfront/keys"
	"ssod/persistence"
)

// tokenWith is token_a with other claims, signed as the realm would: some
// answers are only seen with tokens that the service never makes.
func (w *world) tokenWith(change func(claims jwt.MapClaims)) (string, error) {
	w.Helper()
	token, err := w.value("token_a")
	if err != nil {
		return "", err
	}
	claims := jwt.MapClaims{}
	if err := readClaims(token, &claims); err != nil {
		return "", err
	}
	change(claims)
	secret, err := w.secret()
	if err != nil {
		return "", err
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(secret)
}

// realmSecret is the key of a realm's service tokens, opened with what lies in
// the directory of a node that does not run.
func (n *node) realmSecret(realm string) ([]byte, error) {
	store, err := persistence.Open(persistence.Options{Dir: n.data()})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	shards, err := replica.Alone(n.Context(), replica.Config{
		Node: core.NodeID(store.Identity().NodeID), Shards: store.Identity().Shards,
		Log: store.Log(), State: store, Address: func(core.NodeID) string { return "" },
	})
	if err != nil {
		return nil, err
	}
	defer shards.Close()
	tables, err := meta.Open(n.Context(), shards)
	if err != nil {
		return nil, err
	}
	for id, raw := range tables.All(keys.Table) {
		var record keys.Record
		if err := proto.Unmarshal(raw, &record); err != nil {
			return nil, err
		}
		if record.Use == "service" && record.Realm == realm {
			return n.unseal(id, &record)
		}
	}
	return nil, fmt.Errorf("the store has no service key of realm %s", realm)
}

// unseal opens a stored key: AES-256-GCM under the sealing key beside the
// store, a version byte and the nonce before it, bound to what the record says.
func (n *node) unseal(id string, r *keys.Record) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(n.data(), "sealing.key"))
	if err != nil {
		return nil, err
	}
	sealing, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	var label []byte
	for _, part := range []string{id, r.Use, r.Realm, r.Algorithm} {
		label = append(binary.AppendUvarint(label, uint64(len(part))), part...)
	}
	sealed := r.Sealed[1:]
	return aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], label)
}
