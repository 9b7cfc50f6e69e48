package wire

import (
	"encoding/binary"
	"fmt"
	"io"
)

// maxAnswer bounds what [Ask] reads: what is asked for a person to read is short.
const maxAnswer = 1 << 20

// Ask runs a Query on a session that [Login] has begun, reads its answer to the end, and
// returns the first column of its rows; NULL is "". The error is the server's *[Error],
// after which the session goes on, or one after which it does not.
func Ask(rw io.ReadWriter, sql string) (values []string, err error) {
	if _, err := rw.Write(AppendQuery(nil, sql)); err != nil {
		return nil, err
	}
	left := maxAnswer
	var said error
	for {
		typ, body, err := readMessage(rw, left)
		if err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		left -= HeaderSize + len(body)
		switch typ {
		case DataRow:
			values = append(values, firstValue(body))
		case ErrorResponse:
			e, err := ParseError(body)
			if err != nil {
				return nil, err
			}
			if said = e; e.Fatal() {
				return nil, e
			}
		case ReadyForQuery:
			return values, said
		}
	}
}

// firstValue returns the first value of a DataRow.
func firstValue(body []byte) string {
	const count, length = 2, 4
	if len(body) < count+length {
		return ""
	}
	n := int32(binary.BigEndian.Uint32(body[count:]))
	value := body[count+length:]

	return string(value[:min(max(int(n), 0), len(value))])
}
