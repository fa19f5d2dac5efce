package storage

import (
	"context"
	"database/sql/driver"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

// connector opens connections to PostgreSQL by lib/pq, each over a line that ends when nothing comes any more. Once one
// was found silent, all others that were not heard since are suspected: they are thrown away when they are next asked
// for, so that a pool of dead connections costs one wait and not one for each.
type connector struct {
	config pq.Config
	limits lineLimits

	silentAt atomic.Int64 // when a line was last found silent, in nanoseconds of clock

	mu     sync.Mutex
	lines  map[*line]struct{}
	ending bool
}

func newConnector(dsn string, limits lineLimits) (*connector, error) {
	config, err := pq.NewConfig(dsn)
	if err != nil {
		return nil, err
	}
	if config.ConnectTimeout > 0 {
		limits.dial = config.ConnectTimeout // connect_timeout in the address, or PGCONNECT_TIMEOUT
	}
	return &connector{config: config, limits: limits, lines: map[*line]struct{}{}}, nil
}

// Driver is asked for by database/sql, which opens nothing through it.
func (c *connector) Driver() driver.Driver { return &pq.Driver{} }

// sessionSettings let the server, too, notice that nobody is there any more: whoever was cut off in the middle of a
// transaction would keep its locks for hours, and those that do the same work again would wait for them. They are set
// by a statement, as poolers refuse parameters at the start that they do not know.
const sessionSettings = `SET idle_in_transaction_session_timeout = '30s'`

// Connect opens a connection. The limit of the beginning is for the whole of it: the address, the handshake, the
// sign-in.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := pq.NewConnectorConfig(c.config)
	if err != nil {
		return nil, err
	}
	dialer := &lineDialer{owner: c, until: time.Now().Add(c.limits.dial)}
	inner.Dialer(dialer)
	watched := context.AfterFunc(ctx, func() { dialer.leaveBy(time.Now()) })
	opened, err := inner.Connect(ctx)
	if err != nil {
		watched()
		return nil, err // lib/pq has closed what it had opened, and opened is no connection
	}
	conn, is := opened.(pqConn)
	if !is {
		err = fmt.Errorf("the driver's connection %T lacks what it had", opened)
	} else {
		_, err = conn.ExecContext(context.WithoutCancel(ctx), sessionSettings, nil)
	}
	if ended := !watched(); ended && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		dialer.leaveBy(time.Now())
		_ = opened.Close()
		return nil, err
	}
	return &guardedConn{pqConn: conn, line: dialer.opened()}, nil
}

// end lets every line end soon, so that closing a pool waits for none. No other is opened.
func (c *connector) end() {
	c.mu.Lock()
	c.ending = true
	lines := make([]*line, 0, len(c.lines))
	for l := range c.lines {
		lines = append(lines, l)
	}
	c.mu.Unlock()
	for _, l := range lines {
		l.leaveBy(time.Now().Add(c.limits.close))
	}
}

// foundSilent suspects all lines that are not heard from now on.
func (c *connector) foundSilent() { c.silentAt.Store(clock()) }

func (c *connector) add(l *line) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return errSilent
	}
	c.lines[l] = struct{}{}
	return nil
}

func (c *connector) remove(l *line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.lines, l)
}

// Close of a line forgets it.
func (l *line) Close() error {
	l.owner.remove(l)
	return l.Conn.Close()
}

// Limits by which the system itself notices that the other side is gone, without a word of ours: an idle connection is
// asked after keepIdle, and ends when keepCount questions are not answered.
const (
	keepIdle       = 15 * time.Second
	keepInterval   = 5 * time.Second
	keepCount      = 3
	unacknowledged = 30 * time.Second
)

// lineDialer opens the lines of one connection: first its own, and later, whenever lib/pq calls a statement of it off,
// one more to ask the server for that. So it is also what learns that a statement was called off, without watching
// each.
type lineDialer struct {
	owner *connector
	until time.Time

	mu   sync.Mutex
	line *line // the newest one, until open is set
	open bool
}

// opened gives the line of the connection that is ready now.
func (d *lineDialer) opened() *line {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = true
	d.line.ready()
	return d.line
}

// leaveBy ends the opening at a moment.
func (d *lineDialer) leaveBy(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.line != nil && !d.open {
		d.line.leaveBy(at)
	}
}

// DialContext is called by lib/pq.
func (d *lineDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	until, open := d.until, d.open
	if open {
		d.line.callOff()
		until = time.Now().Add(d.owner.limits.cancel)
	}
	d.mu.Unlock()
	dialer := net.Dialer{Deadline: until, Control: boundUnacknowledged(unacknowledged),
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepIdle, Interval: keepInterval, Count: keepCount}}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l := &line{Conn: conn, owner: d.owner}
	if err := d.owner.add(l); err != nil {
		_ = conn.Close()
		return nil, err
	}
	l.leaveBy(until)
	if !open {
		d.mu.Lock()
		before := d.line
		d.line = l
		d.mu.Unlock()
		if before != nil {
			_ = before.Close() // lib/pq tries another way, such as without TLS, and leaves it open
		}
		if ctx.Err() != nil { // it ended before leaveBy knew of this line
			l.leaveBy(time.Now())
		}
	}
	return l, nil
}

// Dial and DialTimeout are there because lib/pq's interface asks for them.
func (d *lineDialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d *lineDialer) DialTimeout(network, address string, limit time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// pqConn is all that database/sql uses of a connection of lib/pq.
type pqConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.NamedValueChecker
	driver.SessionResetter
	driver.Validator
}

// guardedConn is a connection of lib/pq over a line.
type guardedConn struct {
	pqConn
	line *line
}

func (c *guardedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.line.setPatient(isPatient(ctx))
	return c.pqConn.ExecContext(ctx, query, args)
}

func (c *guardedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.line.setPatient(isPatient(ctx))
	return c.pqConn.QueryContext(ctx, query, args)
}

func (c *guardedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	c.line.setPatient(isPatient(ctx))
	return c.pqConn.PrepareContext(ctx, query)
}

// BeginTx watches the context itself: lib/pq does so only once the transaction has begun. From then on the driver
// watches until the transaction ends.
func (c *guardedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.line.setPatient(isPatient(ctx))
	defer context.AfterFunc(ctx, c.line.callOff)()
	return c.pqConn.BeginTx(ctx, o)
}

// ResetSession is called when the pool gives the connection out again.
func (c *guardedConn) ResetSession(ctx context.Context) error {
	if c.line.broken.Load() || c.line.heard.Load() < c.line.owner.silentAt.Load() {
		c.line.leaveBy(time.Now()) // closing it says goodbye, and waits for the answer
		return driver.ErrBadConn
	}
	c.line.setPatient(false)
	return c.pqConn.ResetSession(ctx)
}

// IsValid is asked when the pool takes the connection back.
func (c *guardedConn) IsValid() bool {
	if c.line.broken.Load() {
		c.line.leaveBy(time.Now())
		return false
	}
	return c.pqConn.IsValid()
}

// Close takes leave of the server, if that is quick.
func (c *guardedConn) Close() error {
	c.line.leaveBy(time.Now().Add(c.line.owner.limits.close))
	return c.pqConn.Close()
}
