package simulate

import (
	"cmp"
	"math/rand/v2"
	"strings"
	"time"

	shopifysource "github.com/tributaryhq/tributary/integrations/shopify"
	woosource "github.com/tributaryhq/tributary/integrations/woocommerce"
)

// Generator makes deliveries one after the other. It is for one goroutine.
type Generator struct {
	plan     Plan
	random   *rand.Rand
	platform platform
	codes    []string // that somebody owns
	slugs    []string
	base     int64 // ids start here
	made     int   // orders begun
	open     []*life
	out      [][]byte // made but not given out yet
	window   [][]byte // shuffled
	expected []Expected
}

// life is an order with what is still to happen to it.
type life struct {
	order *order
	steps []step
}

// openOrders is how many orders live side by side.
const openOrders = 400

// platform writes the deliveries of one kind of store.
type platform interface {
	// tell writes the deliveries by which the store tells what has just happened, as whole HTTP requests.
	tell(o *order, s step, emit func(request []byte))
}

// NewGenerator begins a plan.
func NewGenerator(p Plan) *Generator {
	random := rand.New(rand.NewPCG(p.Seed, p.Seed^0x9e3779b97f4a7c15))
	g := &Generator{plan: p, random: random, base: 6_000_000_000_000 + int64(random.Uint64()>>24)}
	for _, w := range p.Owners {
		if w.Code != "" {
			g.codes = append(g.codes, w.Code)
		}
		if w.Slug != "" {
			g.slugs = append(g.slugs, w.Slug)
		}
	}
	envelope := envelope{store: p.Store, domain: cmp.Or(p.Domain, p.Store+".myshopify.com"),
		secret: []byte(p.Secret), random: random}
	w := writer{currency: string(p.Currency), digits: p.Currency.Digits()}
	if p.Platform == woosource.Name {
		g.platform = &wooCommerce{envelope: envelope, writer: w}
	} else {
		g.platform = &shopify{envelope: envelope, writer: w}
	}
	return g
}

// Next gives the next request, nil after the last one. The bytes are the caller's.
func (g *Generator) Next() []byte {
	for len(g.window) <= g.plan.Shuffle {
		next := g.ordered()
		if next == nil {
			break
		}
		g.window = append(g.window, next)
	}
	if len(g.window) == 0 {
		return nil
	}
	i := 0
	if g.plan.Shuffle > 0 {
		i = g.random.IntN(len(g.window))
	}
	request := g.window[i]
	last := len(g.window) - 1
	if g.plan.Shuffle > 0 {
		g.window[i] = g.window[last]
	} else {
		copy(g.window, g.window[1:])
	}
	g.window = g.window[:last]
	return request
}

// Expected gives what the orders must be in the end, once Next has given nil.
func (g *Generator) Expected() []Expected { return g.expected }

// ordered gives the next request in the order in which the store sent them, repeats included.
func (g *Generator) ordered() []byte {
	for len(g.out) == 0 {
		if !g.advance() {
			return nil
		}
	}
	next := g.out[0]
	g.out = g.out[1:]
	return next
}

// advance lets the next thing happen to one of the open orders.
func (g *Generator) advance() bool {
	for len(g.open) < openOrders && g.made < g.plan.Orders {
		g.open = append(g.open, g.begin())
	}
	if len(g.open) == 0 {
		return false
	}
	i := g.random.IntN(len(g.open))
	l := g.open[i]
	s := l.steps[0]
	l.steps = l.steps[1:]
	g.happen(l.order, s)
	g.out = g.out[:0]
	g.platform.tell(l.order, s, func(request []byte) {
		g.out = append(g.out, request)
		if g.random.IntN(100) < g.plan.Duplicates {
			g.out = append(g.out, request)
		}
	})
	if len(l.steps) == 0 {
		g.expected = append(g.expected, l.order.expected(g.plan.Owners))
		g.open[i] = g.open[len(g.open)-1]
		g.open = g.open[:len(g.open)-1]
	}
	return true
}

// begin makes up an order.
func (g *Generator) begin() *life {
	n := int64(g.made)
	g.made++
	r := g.random
	o := &order{id: g.base + n*17, number: 1000 + n, salt: r.Uint64(), customer: r.IntN(len(customers)),
		taxIncluded: g.taxIncluded(), placed: g.plan.Now.UTC().Add(-time.Duration(r.Int64N(int64(12*time.Hour))) -
			10*time.Hour).
			Truncate(time.Second)}
	o.updated = o.placed
	size := g.plan.MinSize
	if span := g.plan.MaxSize - g.plan.MinSize; span > 0 {
		size += min(r.IntN(span+1), r.IntN(span+1), r.IntN(span+1)) // most are small
	}
	g.fill(o, size)
	l := &life{order: o, steps: scripts[pick(r, scriptWeights)]}
	if g.plan.Platform == shopifysource.Name {
		o.test = r.IntN(100) < 3
	}
	g.evidence(o)
	return l
}

func (g *Generator) taxIncluded() bool {
	return g.plan.Platform == shopifysource.Name && g.random.IntN(5) == 0
}

// fill adds lines and attributes until the body has about the wanted size.
func (g *Generator) fill(o *order, size int) {
	r := g.random
	base, perLine := 5000, 1450
	if g.plan.Platform == woosource.Name {
		base, perLine = 3000, 430
	}
	o.pickup = g.plan.Platform == shopifysource.Name && size < base+perLine
	lines := 1
	for lines < 12 && base+(lines+1)*perLine < size && r.IntN(4) > 0 {
		lines++
	}
	discounted := r.IntN(2) == 0
	for range lines {
		l := line{product: r.IntN(len(products)), quantity: 1 + int64(r.IntN(3)), price: 500 + r.Int64N(9500)}
		if discounted {
			l.discount = l.price / 10
		}
		if !o.pickup {
			l.taxUnit = (l.price - l.discount) * 8 / 100
		}
		o.lines = append(o.lines, l)
	}
	if !o.pickup {
		o.shipping = []int64{0, 495, 495, 995}[r.IntN(4)]
		o.shippingTax = o.shipping * 8 / 100
	}
	o.attributes = max(0, size-base-lines*perLine) / attributeSize
	if size < base+perLine+900 {
		o.customer = 0
	}
}

// evidence lets the customer come by a creator, or not.
func (g *Generator) evidence(o *order) {
	switch n := g.random.IntN(100); {
	case n < 20: // came by themselves
	case n < 60:
		o.discounts = g.typedCode()
	case n < 65:
		o.discounts = append([]string{"WELCOME5"}, g.typedCode()...)
	case n < 75:
		o.discounts = []string{"NEWS" + formatID(int64(g.random.IntN(50)))}
	case n < 92:
		o.slug = g.ownedSlug()
	case n < 96:
		o.slug, o.discounts = g.ownedSlug(), g.typedCode()
	default:
		o.slug = "unknown-friend"
	}
}

// typedCode is a creator's code as a customer types it; none when no creator has one.
func (g *Generator) typedCode() []string {
	if len(g.codes) == 0 {
		return nil
	}
	return []string{typed(g.random, g.codes[g.random.IntN(len(g.codes))])}
}

// ownedSlug is a creator's link, "" when no creator has one.
func (g *Generator) ownedSlug() string {
	if len(g.slugs) == 0 {
		return ""
	}
	return g.slugs[g.random.IntN(len(g.slugs))]
}

// typed is a code as a customer types it.
func typed(r *rand.Rand, code string) string {
	if r.IntN(3) == 0 {
		return strings.ToLower(code)
	}
	return code
}

func pick(r *rand.Rand, weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := r.IntN(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	panic("not reached")
}
