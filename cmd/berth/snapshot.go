package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"berth/internal/frontdoor"
	"berth/internal/state/etcd"
)

const snapshotPath = "/berth/v1/snapshot"

func snapshotCommand() *cobra.Command {
	c := &cobra.Command{Use: "snapshot", Short: "Save and restore the control plane's state"}
	c.AddCommand(saveCommand(), restoreCommand())
	return c
}

func saveCommand() *cobra.Command {
	var data string
	c := &cobra.Command{
		Use: "save FILE", Short: "Save the state of the running control plane to a file", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			k, err := openClient(data)
			if err != nil {
				return err
			}
			n, err := k.saveTo(c.Context(), args[0])
			if err != nil {
				return fmt.Errorf("save the snapshot: %w", err)
			}
			fmt.Fprintf(c.OutOrStdout(), "saved %d bytes to %s; keep %s with it, which opens the secrets in it\n", n, args[0], k.data.path("key"))
			return nil
		},
	}
	dataFlag(c, &data)
	return c
}

// saveTo saves a snapshot to a new file and returns its size in bytes. The file is there only if all of it is.
func (c *client) saveTo(ctx context.Context, file string) (n int64, err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return 0, fmt.Errorf("%s exists already; name another file, or remove it first", file)
	}
	if err != nil {
		return 0, err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			os.Remove(file) //nolint:errcheck // the first error is told
		}
	}()
	if n, err = c.copySnapshot(ctx, f); err != nil {
		return 0, err
	}
	return n, f.Sync()
}

// copySnapshot writes what the control plane sends to w. The trailer says that it was all.
func (c *client) copySnapshot(ctx context.Context, w io.Writer) (int64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.endpoint+snapshotPath, nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.send(ctx, r, nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(w, resp.Body)
	if err == nil && resp.Trailer.Get("X-Berth-Complete") != "yes" {
		err = errors.New("the snapshot broke off")
	}
	return n, err
}

// saveSnapshot streams the store; a trailer says that it is whole.
func (s *server) saveSnapshot(w http.ResponseWriter, r *http.Request, _ *frontdoor.Request) {
	w.Header().Set("Trailer", "X-Berth-Complete")
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := s.backend.Snapshot(r.Context(), w); err != nil {
		s.log.Error("snapshot", "err", err)
		return
	}
	w.Header().Set("X-Berth-Complete", "yes")
}

func restoreCommand() *cobra.Command {
	var data string
	c := &cobra.Command{
		Use: "restore FILE", Short: "Make a new data directory of a snapshot", Args: cobra.ExactArgs(1),
		Long: `Make a new data directory of a snapshot. Stop the control plane first; its old state is kept beside the new one.
Copy the key file of the installation that made the snapshot into the data directory, or its secrets do not open.
What was a member of a cluster is alone afterwards: start it with --cluster-init, delete the data of the other members, and let them join again.`,
		RunE: func(c *cobra.Command, args []string) error {
			d, err := openData(data)
			if err != nil {
				return err
			}
			release, err := d.own("server")
			if err != nil {
				return fmt.Errorf("stop the control plane first: %w", err)
			}
			defer release()
			if _, err := os.Stat(d.path("etcd")); err == nil {
				old := d.path("etcd.before-restore")
				if err := os.RemoveAll(old); err != nil {
					return fmt.Errorf("restore: %w", err)
				}
				if err := os.Rename(d.path("etcd"), old); err != nil {
					return fmt.Errorf("restore: %w", err)
				}
			} else if !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("restore: %w", err)
			}
			if err := etcd.Restore(c.Context(), args[0], d.path("etcd")); err != nil {
				return fmt.Errorf("restore: %w", err)
			}
			if err := d.forgetCluster(); err != nil {
				return fmt.Errorf("restore: %w", err)
			}
			fmt.Fprintf(c.OutOrStdout(), "restored %s; start the control plane with `berth up --data %s` or `berth server --data %s`\n", args[0], data, data)
			return nil
		},
	}
	dataFlag(c, &data)
	return c
}
