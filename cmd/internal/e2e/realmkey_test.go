package e2e

import (
	"bytes"
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
	"ssod/httpfront/keys/sealing"
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
	view, err := n.unsealing(store.Identity(), tables)
	if err != nil {
		return nil, err
	}
	for id, raw := range tables.All(keys.Table) {
		var record keys.Record
		if sealing.IsRecord(id) {
			continue
		}
		if err := proto.Unmarshal(raw, &record); err != nil {
			return nil, err
		}
		if record.Use == "service" && record.Realm == realm {
			return unseal(view, id, &record)
		}
	}
	return nil, fmt.Errorf("the store has no service key of realm %s", realm)
}

// unsealing is the sealing keys that the private key beside the store opens.
func (n *node) unsealing(id persistence.Identity, tables *meta.Store) (*sealing.View, error) {
	text, err := os.ReadFile(filepath.Join(n.data(), "sealing.key"))
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil {
		return nil, err
	}
	return sealing.Read(tables.All(keys.Table), &sealing.Options{
		Key: key, Cluster: id.Cluster, Self: sealing.Member{ID: uint64(id.NodeID), Name: id.Node},
	}, nil)
}

// unseal opens a stored key, which is bound to what its record says.
func unseal(view *sealing.View, id string, r *keys.Record) ([]byte, error) {
	var label []byte
	for _, part := range []string{id, r.Use, r.Realm, r.Algorithm} {
		label = append(binary.AppendUvarint(label, uint64(len(part))), part...)
	}
	return view.Open(r.Sealed, label)
}
