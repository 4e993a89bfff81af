package frontdoor

import (
	"net/http"

	"berth/internal/apierr"
)

// Refuse answers a request with an error in the form of the service that it is for. It is for those who serve in the door's place (Config.Forward).
func (d *Door) Refuse(w http.ResponseWriter, r *http.Request, e *apierr.Error) {
	x := d.begin(w, r)
	if d.sockets[r.URL.Path] != nil {
		x.target.protocol = AWSJSON11
		x.failSocket(e)
		return
	}
	x.fail(e)
}
