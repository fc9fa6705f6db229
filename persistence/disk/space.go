package disk

import (
	"errors"
	"io/fs"
	"log/slog"
	"math"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// largeWrite is how much may be written before the free space is measured again.
const largeWrite = 1 << 20

// ErrNoSpace: the disk is below its reserve. Reads go on.
var ErrNoSpace = errors.New("free disk space is below the reserve")

// SpaceConfig says what is kept free, in bytes.
type SpaceConfig struct {
	// Reserve is the free space below which changes are refused.
	Reserve uint64
	// Ballast is the size of the file that is deleted when the disk is full.
	Ballast int64
	// Logger gets what an operator should know.
	Logger *slog.Logger
	// Registerer gets ssod_disk_free_bytes; nil means no metric.
	Registerer prometheus.Registerer
}

// Space watches the free space of the data directory and keeps a ballast file to delete
// when it is used up all the same.
type Space struct {
	config     SpaceConfig
	dir        *Directory
	free       atomic.Uint64 // bytes, at the last look
	full       atomic.Bool
	unchecked  atomic.Int64 // bytes written since the last look
	hasBallast atomic.Bool
	gauge      prometheus.Collector
}

// NewSpace returns the space of a directory, at which it has not looked yet.
func NewSpace(dir *Directory, c SpaceConfig) *Space {
	s := &Space{config: c, dir: dir}
	s.free.Store(math.MaxUint64)
	_, err := dir.FS.Stat(dir.File("ballast"))
	s.hasBallast.Store(err == nil)
	return s
}

// Start takes the first look and registers the metric.
func (s *Space) Start() error {
	s.Look()
	if s.config.Registerer == nil {
		return nil
	}
	s.gauge = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ssod_disk_free_bytes",
		Help: "Free space of the data directory's file system; below the reserve changes are refused.",
	}, func() float64 { return float64(s.free.Load()) })
	return s.config.Registerer.Register(s.gauge)
}

// Close unregisters the metric.
func (s *Space) Close() {
	if s.gauge != nil {
		s.config.Registerer.Unregister(s.gauge)
	}
}

// Admit refuses a write of about size bytes when space is short.
func (s *Space) Admit(size int) error {
	if s.unchecked.Add(int64(size)) > largeWrite {
		s.Look()
	}
	if s.full.Load() {
		return ErrNoSpace
	}
	return nil
}

// Room refuses a flush of about size bytes that would fill the disk. A flush may use most
// of the reserve, since it lets logs be truncated. While changes are accepted so is a
// flush, however large.
func (s *Space) Room(size int64) error {
	s.Look()
	if s.free.Load() < min(s.config.Reserve, s.config.Reserve/8+2*uint64(size)) {
		return ErrNoSpace
	}
	return nil
}

// Spare refuses work of about size bytes that can wait, if it would use the reserve.
func (s *Space) Spare(size uint64) error {
	s.Look()
	if free := s.free.Load(); free < s.config.Reserve || free-s.config.Reserve < size {
		return ErrNoSpace
	}
	return nil
}

// Sparing returns f with writes that fail with [ErrNoSpace] before they use the reserve.
func (s *Space) Sparing(f vfs.File) vfs.File { return &sparingFile{File: f, space: s} }

// sparingFile is a file written by one goroutine.
type sparingFile struct {
	vfs.File
	space     *Space
	unchecked int // bytes written since the last look
}

func (f *sparingFile) Write(p []byte) (int, error) {
	if f.unchecked += len(p); f.unchecked > largeWrite {
		f.unchecked = 0
		if err := f.space.Spare(0); err != nil {
			return 0, err
		}
	}
	return f.File.Write(p)
}

// Look measures the free space and decides whether changes are accepted.
func (s *Space) Look() {
	s.unchecked.Store(0)
	usage, err := s.dir.FS.GetDiskUsage(s.dir.Path)
	if errors.Is(err, vfs.ErrUnsupported) {
		return
	}
	if err != nil {
		s.config.Logger.Error("store: free disk space is unknown", "error", err)
		return
	}
	s.free.Store(usage.AvailBytes)
	full := usage.AvailBytes < s.config.Reserve
	if s.full.Swap(full) != full {
		s.report(full)
	}
}

func (s *Space) report(full bool) {
	if full {
		s.config.Logger.Error("store: free disk space is below the reserve, changes are refused; make room",
			"free", s.free.Load(), "reserve", s.config.Reserve)
		return
	}
	s.config.Logger.Info("store: free disk space is above the reserve, changes go on", "free", s.free.Load())
}

// Full reports whether changes are refused.
func (s *Space) Full() bool { return s.full.Load() }

// Free is the number of free bytes at the last look; math.MaxUint64: unknown.
func (s *Space) Free() uint64 { return s.free.Load() }

// MakeBallast writes the ballast file when there is plenty of room.
func (s *Space) MakeBallast() {
	size := s.config.Ballast
	if s.hasBallast.Load() || s.free.Load() < s.config.Reserve+2*uint64(size) {
		return
	}
	if err := s.writeBallast(size); err != nil {
		s.config.Logger.Warn("store: no ballast file", "error", err)
		return
	}
	s.hasBallast.Store(true)
}

func (s *Space) writeBallast(size int64) error {
	f, err := s.dir.FS.Create(s.dir.File("ballast"), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	err = f.Preallocate(0, size)
	return errors.Join(err, f.Sync(), f.Close())
}

// GiveBallast removes the ballast. Pebble's writes that found the disk full wait for it
// and are repeated once.
func (s *Space) GiveBallast() {
	s.full.Store(true)
	err := s.dir.FS.Remove(s.dir.File("ballast"))
	s.hasBallast.Store(false)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.config.Logger.Error("store: cannot remove the ballast file", "error", err)
	}
	s.config.Logger.Error("store: the disk is full, changes are refused; make room")
}
