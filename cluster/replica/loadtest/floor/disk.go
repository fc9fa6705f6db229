package floor

import (
	"io"
	"sync"
)

// File is where a node's batches go.
type File interface {
	io.WriterAt
	SyncData() error
	Close() error
}

// wrap is the length at which a file is written from its begin again.
const wrap = 64 << 20

// disk writes what has come in while the last write ran, with one sync.
type disk struct {
	file File
	fail func(error)
	wake chan struct{}
	stop chan struct{}
	once sync.Once

	mu      sync.Mutex
	pending []byte
	synced  []func()
}

func newDisk(file File, fail func(error)) *disk {
	return &disk{file: file, fail: fail, wake: make(chan struct{}, 1), stop: make(chan struct{})}
}

// write takes data over and calls synced when it is on disk.
func (d *disk) write(data []byte, synced func()) {
	d.mu.Lock()
	d.pending = append(d.pending, data...)
	d.synced = append(d.synced, synced)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *disk) run() {
	var at int64
	var spare []byte
	for {
		select {
		case <-d.wake:
		case <-d.stop:
			return
		}
		d.mu.Lock()
		data, synced := d.pending, d.synced
		d.pending, d.synced = spare[:0], nil
		d.mu.Unlock()
		spare = data
		if len(data) == 0 {
			continue
		}
		if at+int64(len(data)) > wrap {
			at = 0
		}
		if err := d.put(data, at); err != nil {
			d.fail(err)
			return
		}
		at += int64(len(data))
		for _, f := range synced {
			f()
		}
	}
}

func (d *disk) put(data []byte, at int64) error {
	if _, err := d.file.WriteAt(data, at); err != nil {
		return err
	}
	return d.file.SyncData()
}

func (d *disk) close() { d.once.Do(func() { close(d.stop) }) }
