package storage

import "encoding/binary"

// array writes a one-dimensional array without NULLs in PostgreSQL's binary form. With binary_parameters lib/pq sends
// bytes as they are, so a whole column of a group travels as one argument.
type array struct{ b []byte }

// Object ids of the element types.
const (
	oidBytea       = 17
	oidInt8        = 20
	oidText        = 25
	oidTimestamptz = 1184
)

// postgresEpoch is where PostgreSQL's times begin, 2000-01-01, in microseconds since 1970.
const postgresEpoch = 946_684_800 * 1_000_000

// newArray begins an array of n elements that take about size bytes.
func newArray(oid uint32, n, size int) array {
	b := make([]byte, 0, 20+n*4+size)
	for _, word := range []uint32{1, 0, oid, uint32(n), 1} { // dimensions, NULLs, type, length, first index
		b = binary.BigEndian.AppendUint32(b, word)
	}
	return array{b}
}

func (a *array) int64(v int64) {
	a.b = binary.BigEndian.AppendUint32(a.b, 8)
	a.b = binary.BigEndian.AppendUint64(a.b, uint64(v))
}

func (a *array) bytes(v []byte) {
	a.b = binary.BigEndian.AppendUint32(a.b, uint32(len(v)))
	a.b = append(a.b, v...)
}
