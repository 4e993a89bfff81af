package logstore

import (
	"time"
)

// How often it is looked whether there is room: after that much time or that many bytes, whichever comes first.
const (
	lookEvery = time.Second
	lookAfter = 16 << 20
)

// look finds out whether the store is full. What frees room (Drop) is done all the same.
func (s *Store) look() {
	if now := time.Now(); now.Sub(s.looked) < lookEvery && s.written < lookAfter {
		return
	}
	s.looked, s.written = time.Now(), 0
	full := s.config.MaxBytes > 0 && s.db.Metrics().DiskSpaceUsage() >= s.config.MaxBytes
	if usage, err := s.config.FS.GetDiskUsage(s.config.Dir); err == nil && usage.AvailBytes < s.config.MinFree {
		full = true
	}
	if s.full.Swap(full) == full {
		return
	}
	if full {
		s.config.Log.Warn("the log store is full and refuses events", "dir", s.config.Dir, "minFree", s.config.MinFree, "maxBytes", s.config.MaxBytes)
	} else {
		s.config.Log.Info("the log store has room again", "dir", s.config.Dir)
	}
}
