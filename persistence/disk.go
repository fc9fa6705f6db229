package persistence

import (
	"errors"
	"io/fs"
	"math"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// largeWrite is how much may be written between two looks at the free space.
const largeWrite = 1 << 20

// disk watches the free space of the data directory and keeps a ballast file
// to give back when it is used up all the same.
type disk struct {
	opts       *Options
	dir        *directory
	free       atomic.Uint64 // bytes, at the last look
	full       atomic.Bool
	unchecked  atomic.Int64 // bytes written since the last look
	hasBallast atomic.Bool
	gauge      prometheus.Collector
}

func newDisk(o *Options, dir *directory) *disk {
	d := &disk{opts: o, dir: dir}
	d.free.Store(math.MaxUint64)
	_, err := dir.fs.Stat(dir.file("ballast"))
	d.hasBallast.Store(err == nil)
	return d
}

// start takes the first look and registers the metric.
func (d *disk) start(r prometheus.Registerer) error {
	d.look()
	if r == nil {
		return nil
	}
	d.gauge = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ssod_disk_free_bytes",
		Help: "Free space of the data directory's file system; below the reserve changes are refused.",
	}, func() float64 { return float64(d.free.Load()) })
	return r.Register(d.gauge)
}

func (d *disk) close() {
	if d.gauge != nil {
		d.opts.Registerer.Unregister(d.gauge)
	}
}

// admit refuses a write of about size bytes when space is short.
func (d *disk) admit(size int) error {
	if d.unchecked.Add(int64(size)) > largeWrite {
		d.look()
	}
	if d.full.Load() {
		return ErrNoSpace
	}
	return nil
}

// room refuses a flush of about size bytes that would take what is left of the
// disk. It may take most of the reserve: then logs become shorter. Where changes are
// taken a flush is too, however much has gathered.
func (d *disk) room(size int64) error {
	d.look()
	if d.free.Load() < min(d.opts.Reserve, d.opts.Reserve/8+2*uint64(size)) {
		return ErrNoSpace
	}
	return nil
}

// look measures the free space, decides whether changes are taken, and makes
// the ballast when there is room for it.
func (d *disk) look() {
	d.unchecked.Store(0)
	usage, err := d.dir.fs.GetDiskUsage(d.dir.path)
	if errors.Is(err, vfs.ErrUnsupported) {
		return
	}
	if err != nil {
		d.opts.Logger.Error("store: free disk space is unknown", "error", err)
		return
	}
	d.free.Store(usage.AvailBytes)
	full := usage.AvailBytes < d.opts.Reserve
	if d.full.Swap(full) != full {
		d.report(full)
	}
}

func (d *disk) report(full bool) {
	if full {
		d.opts.Logger.Error("store: free disk space is below the reserve, changes are refused; make room",
			"free", d.free.Load(), "reserve", d.opts.Reserve)
		return
	}
	d.opts.Logger.Info("store: free disk space is above the reserve, changes go on", "free", d.free.Load())
}

// makeBallast writes the ballast file when there is plenty of room.
func (d *disk) makeBallast() {
	size := d.opts.Ballast
	if d.hasBallast.Load() || d.free.Load() < d.opts.Reserve+2*uint64(size) {
		return
	}
	if err := d.writeBallast(size); err != nil {
		d.opts.Logger.Warn("store: no ballast file", "error", err)
		return
	}
	d.hasBallast.Store(true)
}

func (d *disk) writeBallast(size int64) error {
	f, err := d.dir.fs.Create(d.dir.file("ballast"), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	err = f.Preallocate(0, size)
	return errors.Join(err, f.Sync(), f.Close())
}

// giveBallast removes the ballast. Pebble's writes that found the disk full
// wait for it and are then repeated once.
func (d *disk) giveBallast() {
	d.full.Store(true)
	err := d.dir.fs.Remove(d.dir.file("ballast"))
	d.hasBallast.Store(false)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.opts.Logger.Error("store: cannot remove the ballast file", "error", err)
	}
	d.opts.Logger.Error("store: the disk is full, changes are refused; make room")
}
