package logs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"berth/internal/logs"
)

// A place is written in 56 digits, as event ids and tokens are on AWS: its time, its stream and its number.
const (
	timeDigits   = 18
	streamDigits = 19
	seqDigits    = 19
	placeDigits  = timeDigits + streamDigits + seqDigits
)

func placeText(p logs.Place) string {
	return fmt.Sprintf("%0*d%0*d%0*d", timeDigits, p.Time, streamDigits, p.Stream, seqDigits, p.Seq)
}

func parsePlace(text string) (p logs.Place, ok bool) {
	if len(text) != placeDigits || strings.Trim(text, "0123456789") != "" {
		return p, false
	}
	t, err1 := strconv.ParseUint(text[:timeDigits], 10, 63)
	stream, err2 := strconv.ParseUint(text[timeDigits:timeDigits+streamDigits], 10, 64)
	seq, err3 := strconv.ParseUint(text[timeDigits+streamDigits:], 10, 64)
	return logs.Place{Time: logs.Time(t), Stream: stream, Seq: seq}, err1 == nil && err2 == nil && err3 == nil
}

// The tokens of GetLogEvents: f/ is for what is behind a place, b/ for what is before it.

func forwardToken(p logs.Place) *string  { return tokenOf("f/", p) }
func backwardToken(p logs.Place) *string { return tokenOf("b/", p) }

func tokenOf(direction string, p logs.Place) *string {
	token := direction + placeText(p) + "/s"
	return &token
}

// parseToken reads a token of a stream.
func parseToken(token string, stream uint64) (p logs.Place, backward, ok bool) {
	rest, backward := strings.CutPrefix(token, "b/")
	if !backward {
		if rest, ok = strings.CutPrefix(token, "f/"); !ok {
			return p, false, false
		}
	}
	rest, ok = strings.CutSuffix(rest, "/s")
	if !ok {
		return p, false, false
	}
	p, ok = parsePlace(rest)
	return p, backward, ok && p.Stream == stream
}

// searchToken is the token of a search that goes on behind a place. A token serves only the search that it came from.
func searchToken(p logs.Place, search ...string) *string {
	token := searchSum(search) + placeText(p)
	return &token
}

func parseSearchToken(token string, search ...string) (logs.Place, bool) {
	rest, ok := strings.CutPrefix(token, searchSum(search))
	if !ok {
		return logs.Place{}, false
	}
	return parsePlace(rest)
}

func searchSum(search []string) string {
	sum := sha256.Sum256([]byte(strings.Join(search, "\x00")))
	return hex.EncodeToString(sum[:12])
}
