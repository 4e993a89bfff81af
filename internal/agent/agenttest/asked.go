package agenttest

import "sync"

// asked is what fakes of services have in common: how often they were asked, and with what they refuse. The zero value refuses nothing.
type asked struct {
	lock  sync.Mutex
	err   error
	calls int
}

// Refuse has all calls fail from now on, with nil none.
func (a *asked) Refuse(err error) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.err = err
}

// Calls is how often it was asked.
func (a *asked) Calls() int {
	a.lock.Lock()
	defer a.lock.Unlock()
	return a.calls
}

// ask counts a call, and is what it is refused with.
func (a *asked) ask() error {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.calls++
	return a.err
}
