package persistence

import (
	"encoding/binary"
	"hash/crc32"

	"google.golang.org/protobuf/proto"
)

// progress is how far a shard is, with its configuration as it is stored.
type progress struct {
	Applied
	conf []byte
}

func progressOf(a Applied) (progress, error) {
	conf, err := proto.MarshalOptions{Deterministic: true}.Marshal(a.Conf)
	return progress{a, conf}, err
}

// appendProgress appends position, shard time and configuration, sealed.
func appendProgress(b []byte, p *progress) []byte {
	n := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint64(b, p.Index)
	b = binary.BigEndian.AppendUint64(b, p.Term)
	b = binary.BigEndian.AppendUint64(b, p.Time)
	b = append(b, p.conf...)
	binary.BigEndian.PutUint32(b[n:], crc32.Checksum(b[n+4:], castagnoli))
	return b
}
