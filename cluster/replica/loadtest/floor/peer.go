package floor

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"sync"
)

// A batch on the wire and on disk is: length of the payload and checksum, four
// bytes each, and the payload. The answer to it is one byte per batch.
const header = 8

// longest bounds a batch.
const longest = 64 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errChecksum = errors.New("floor: wrong checksum")

// seal writes the header.
func seal(data []byte, sum uint32) {
	binary.LittleEndian.PutUint32(data, uint32(len(data)-header))
	binary.LittleEndian.PutUint32(data[4:], sum)
}

// peer is the connection to another node, for batches of this one.
type peer struct {
	conn net.Conn

	mu      sync.Mutex
	flying  []*batch // sent and not acknowledged, in order
	failure error
}

func (p *peer) send(b *batch) error {
	p.mu.Lock()
	if p.failure != nil {
		p.mu.Unlock()
		b.end(p.failure)
		return p.failure
	}
	p.flying = append(p.flying, b)
	p.mu.Unlock()
	_, err := p.conn.Write(b.data)
	return err
}

// receive counts the acknowledgements.
func (p *peer) receive() error {
	acks := make([]byte, 64)
	for {
		n, err := p.conn.Read(acks)
		if err != nil {
			return err
		}
		p.mu.Lock()
		if n > len(p.flying) {
			p.mu.Unlock()
			return fmt.Errorf("floor: %d acknowledgements of %d batches", n, len(p.flying))
		}
		done := p.flying[:n]
		p.flying = p.flying[n:]
		p.mu.Unlock()
		for _, b := range done {
			b.ack()
		}
	}
}

// end lets the callers of what is under way go.
func (p *peer) end(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failure = err
	for _, b := range p.flying {
		b.end(err)
	}
	p.flying = nil
}

// accept serves the nodes that connect.
func (n *Node) accept() {
	for {
		conn, err := n.listener.Accept()
		if err != nil {
			return // the node is closed
		}
		if n.cfg.TLS != nil {
			conn = tls.Server(conn, n.cfg.TLS)
		}
		n.keep(conn)
		n.workers.Go(func() { n.ended(n.follow(conn)) })
	}
}

// follow writes another node's batches and acknowledges them.
func (n *Node) follow(conn net.Conn) error {
	in := bufio.NewReaderSize(conn, 64<<10)
	ack := make([]byte, 1)
	for {
		data, err := read(in)
		if err != nil {
			return err
		}
		n.disk.write(data, func() {
			if _, err := conn.Write(ack); err != nil {
				n.ended(err)
			}
		})
	}
}

// read reads a batch and checks it.
func read(in io.Reader) ([]byte, error) {
	head := make([]byte, header)
	if _, err := io.ReadFull(in, head); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(head)
	if size > longest {
		return nil, fmt.Errorf("floor: a batch of %d bytes", size)
	}
	data := make([]byte, header+int(size))
	copy(data, head)
	if _, err := io.ReadFull(in, data[header:]); err != nil {
		return nil, err
	}
	if crc32.Checksum(data[header:], castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, errChecksum
	}
	return data, nil
}
