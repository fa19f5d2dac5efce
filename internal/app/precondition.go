package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// precondition is what the caller has seen of a thing and wants to find unchanged.
type precondition struct {
	subject  string // prefixed id
	versions []int
	met      bool
}

type preconditionKey struct{}

// IfUnchanged gives a context in which a change goes through only if it is one of the thing with that id, in one of the
// versions. Otherwise nothing is changed, and the error is a Conflict with the code changed_meanwhile.
func IfUnchanged(ctx context.Context, subject string, versions []int) context.Context {
	p := &precondition{subject: subject, versions: versions}
	ctx = storage.Alongside(ctx, func(context.Context, *storage.Tx) error { return p.unmet() })
	return context.WithValue(ctx, preconditionKey{}, p)
}

// Unmet is the error of a context of IfUnchanged in which the thing was not found unchanged; nil for other contexts. It
// is for changes that turned out to change nothing.
func Unmet(ctx context.Context) error {
	if p, _ := ctx.Value(preconditionKey{}).(*precondition); p != nil {
		return p.unmet()
	}
	return nil
}

func (p *precondition) unmet() error {
	if p.met {
		return nil
	}
	return changedMeanwhile(
		"what this changes is not %s, or has no version; leave If-Match out, or send the ETag of what is changed",
		p.subject)
}

// checkVersion compares what is there with what the caller has seen: the version that they state, or AnyVersion, and
// what IfUnchanged says. It is called in the transaction of the change, with what that has read.
func checkVersion(ctx context.Context, id fmt.Stringer, version, stated int) error {
	p, _ := ctx.Value(preconditionKey{}).(*precondition)
	if p != nil && p.subject == id.String() {
		if stated != AnyVersion && !slices.Contains(p.versions, stated) {
			return affiliate.FieldErrorf("version", "and If-Match name different versions; send one of them")
		}
		if !slices.Contains(p.versions, version) {
			return changedMeanwhile("%s has been changed meanwhile; read it again, then repeat the change", id)
		}
		p.met = true
	}
	if stated != AnyVersion && stated != version {
		return storage.ChangedMeanwhile(id)
	}
	return nil
}

func changedMeanwhile(format string, args ...any) error {
	return &affiliate.Error{Kind: affiliate.Conflict, Code: "changed_meanwhile", Field: "If-Match",
		Message: fmt.Sprintf(format, args...)}
}
