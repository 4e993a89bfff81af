package providertest

import "testing"

func TestMemory(t *testing.T) {
	Run(t, func(*testing.T) Site {
		m := &Memory{}
		return Site{Provider: m, Order: m.Order, Refuse: m.Refuse, Full: m.Full, Hold: func() { m.Hold(true) }}
	})
}
