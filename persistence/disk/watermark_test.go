package disk

import "testing"

func FuzzWatermark(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"))
	f.Fuzz(func(_ *testing.T, b []byte) { parseWatermark(b) })
}
