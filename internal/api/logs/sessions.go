package logs

import "sync"

// sessions counts the live tails of each account. The zero value is ready.
type sessions struct {
	mu        sync.Mutex
	byAccount map[string]int
}

func (s *sessions) full(account string, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byAccount[account] >= most
}

// enter counts one more, unless there are most already.
func (s *sessions) enter(account string, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byAccount[account] >= most {
		return false
	}
	if s.byAccount == nil {
		s.byAccount = map[string]int{}
	}
	s.byAccount[account]++
	return true
}

func (s *sessions) leave(account string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byAccount[account]--; s.byAccount[account] == 0 {
		delete(s.byAccount, account)
	}
}
