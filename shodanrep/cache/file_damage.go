package cache

import (
	"context"
	"fmt"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// wasSetAside is the one warning about a damaged file. The paths are beside it.
const wasSetAside = "the cache file was damaged: it was set aside, and a new one begun"

// setAside makes way for a new file where the present one is damaged. It warns, unless another process has done it. The
// caller holds both connections, which are closed.
func (f *File) setAside(ctx context.Context, damage error) error {
	identity := f.identity.Load()
	if identity == nil {
		return damage
	}
	if id, err := sqlitefile.ApplicationID(f.path); err == nil && id != 0 && id != applicationID {
		return errForeign // its owner may be able to mend it
	}
	moved, err := sqlitefile.SetAside(ctx, f.path, *identity)
	if err != nil {
		return fmt.Errorf("it is damaged and cannot be renamed to %s: %w", sqlitefile.DamagedPath(f.path), err)
	}
	if moved {
		f.opts.Logger.Warn(wasSetAside, "file", f.path, "damaged", sqlitefile.DamagedPath(f.path))
	}
	return nil
}
