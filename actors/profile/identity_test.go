package profile

import (
	"encoding/hex"
	"testing"
)

const wantDid = "1d99a6e6e820c40247d1aba99591a0db"

func TestDid(t *testing.T) {
	// SHA-256 of the canonical id of httpfront/docs/headers.md#ap-device-identifier,
	// "YmEyM2Qx...WVi".
	got := Did([]byte("ba23d141-d715-561c-94f4-e9e4c966b1eb"))
	if hex.EncodeToString(got[:]) != wantDid {
		t.Errorf("got %x, want %s", got, wantDid)
	}
	Did(make([]byte, 256)) // the longest identifier fits
}
