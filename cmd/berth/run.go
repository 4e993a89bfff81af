package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"berth/internal/access"
	"berth/internal/logstore"
	"berth/internal/seal"
	"berth/internal/state/etcd"
)

// runServer runs a replica until ctx ends. Then it hands over what it does, and stops.
func runServer(ctx context.Context, o serverOptions) error {
	defer startCollector()()
	s, release, err := newServer(ctx, o)
	if err != nil {
		return err
	}
	defer release()
	s.connections.most = o.maxConnections
	listener, err := s.listen()
	if err != nil {
		return err
	}
	s.front.set(waiting("This replica is starting. It waits for its store."))
	s.http = &http.Server{
		Handler: &s.front, ConnContext: keepConn, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 10 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	g, work := errgroup.WithContext(context.WithoutCancel(ctx))
	g.Go(func() error {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		defer s.http.Close()
		if err := s.start(ctx, work); !errors.Is(err, etcd.ErrRemoved) {
			return err
		}
		return s.stayAway(ctx)
	})
	return g.Wait()
}

// newServer makes what a replica has before its store is there: its data directory, its identity and its certificate.
func newServer(ctx context.Context, o serverOptions) (_ *server, release func(), err error) {
	log, err := o.logger(os.Stderr, o.verbose)
	if err != nil {
		return nil, nil, err
	}
	if o.join != "" && o.clusterInit {
		return nil, nil, errors.New("--cluster-init begins a cluster, --join joins another one's: give one of them")
	}
	s := &server{options: o, log: log, ready: make(chan struct{})}
	if s.data, err = openData(o.data); err != nil {
		return nil, nil, err
	}
	unlock, err := s.data.own("server")
	if err != nil {
		return nil, nil, err
	}
	if err := s.become(ctx); err != nil {
		unlock()
		return nil, nil, err
	}
	return s, unlock, nil
}

// become makes the replica what the flags, and its data directory, say that it is.
func (s *server) become(ctx context.Context) error {
	known, err := s.identify()
	if err != nil {
		return err
	}
	o := &s.options
	if err := o.addresses(known || o.clusterInit || o.join != "" || len(o.etcd) > 0); err != nil {
		return err
	}
	switch {
	case known && (o.join != "" || o.clusterInit):
		s.log.Info("this data directory is a cluster member's already", "member", s.replica.Name)
	case o.join != "":
		if err := s.joinCluster(ctx); err != nil {
			return err
		}
	case o.clusterInit:
		s.replica.Clustered = true
	}
	if err := s.remember(); err != nil {
		return err
	}
	if err := s.noteInstallation(); err != nil {
		return err
	}
	if s.key, err = s.data.key(); err != nil {
		return err
	}
	if len(o.etcd) > 0 {
		return nil // the authority is in the store
	}
	return s.ownAuthority(s.key)
}

// noteInstallation tells the commands of this machine where the installation is.
func (s *server) noteInstallation() error {
	in, err := s.data.load()
	if err != nil {
		return err
	}
	if strings.Contains(in.Listen, "://") {
		return nil // an agent's: it is where its machine has joined
	}
	o := s.options
	in.Listen, in.Region, in.Account, in.Auth, in.TLS = o.listen, o.region, o.account, o.auth, o.tlsCert != ""
	return s.data.save("berth.json", in)
}

// shared says whether there are other replicas.
func (s *server) shared() bool { return s.replica.Clustered || len(s.options.etcd) > 0 }

// start opens the store and serves until ctx ends; work ends only when something has failed.
func (s *server) start(ctx, work context.Context) error {
	if s.replica.Removed {
		return etcd.ErrRemoved
	}
	if err := s.open(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // stopped while it was starting
		}
		return fmt.Errorf("open the store: %w", err)
	}
	defer func() {
		if err := s.backend.Close(); err != nil {
			s.log.Warn("close the store", "err", err)
		}
	}()
	streams, err := logstore.Open(logstore.Config{Dir: s.data.path("logs"), Log: s.log})
	if err != nil {
		return fmt.Errorf("open the log store: %w", err)
	}
	s.streams = streams
	defer func() {
		if err := streams.Close(); err != nil {
			s.log.Warn("close the log store", "err", err)
		}
	}()
	if err := s.build(&access.Keys{Seal: s.key}); err != nil {
		return err
	}
	handler, err := s.handler()
	if err != nil {
		return err
	}
	work, stop := context.WithCancel(work)
	defer stop()
	g, work := errgroup.WithContext(work)
	for name, loop := range map[string]func(context.Context) error{
		"the store": s.store.Run, "forwarding": s.forwarder.Run, "the event stream": s.observed.run, "the audit log": s.runTrail, "etcd": s.attend, "credentials": s.keepCredentials,
	} {
		g.Go(func() error { return s.loops.run(work, name, loop) })
	}
	g.Go(func() error {
		defer stop()
		select {
		case <-ctx.Done():
			s.drain(ctx)
			s.observed.end()
			shutdown(ctx, s.http)
		case <-work.Done():
		}
		return nil
	})
	s.front.set(&gate{door: handler, refuse: s.door.Refuse})
	s.log.Info("serving", "address", s.options.listen, "version", version, "replica", s.replica.Name)
	return g.Wait()
}

// open opens the store and, where the replicas share it, the authority in it.
func (s *server) open(ctx context.Context) error {
	c := etcd.Config{Endpoints: s.options.etcd, Maintain: s.options.etcdMaintain, Replica: s.replica.Name, Log: s.log}
	if len(c.Endpoints) == 0 {
		c.Dir = s.data.path("etcd")
		if s.options.etcdSocket {
			c.Socket = s.data.path("etcd.sock")
		}
	}
	var err error
	if c.TLS, err = s.options.etcdTLS(); err != nil {
		return err
	}
	if s.replica.Clustered {
		if c.Cluster, err = s.cluster(); err != nil {
			return err
		}
	}
	s.backend, err = etcd.Open(ctx, c)
	if c.Cluster != nil && errors.Is(err, unix.EADDRINUSE) {
		return cannotListen("peer-listen", s.options.peerListen, err)
	}
	if err != nil {
		return err
	}
	if len(c.Endpoints) > 0 {
		err = s.sharedAuthority(ctx)
	}
	if err != nil {
		return errors.Join(err, s.backend.Close())
	}
	return nil
}

// sharedAuthority is the authority of replicas on an external etcd: the first one makes it, the others must have its key file.
func (s *server) sharedAuthority(ctx context.Context) error {
	b, err := s.backend.Shared(ctx, "authority", func() ([]byte, error) { return newAuthority(s.key) })
	if err != nil {
		return fmt.Errorf("certificate authority: %w", err)
	}
	return s.trustIn(b, s.key, fmt.Sprintf("%s is not the key that this installation's secrets are sealed with; copy the file of that name from the data directory of its first replica, and start again",
		s.data.path("key")))
}

// attend waits for the embedded etcd to stop by itself.
func (s *server) attend(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.backend.Ended():
		return s.backend.Err()
	}
}

// stayAway is what is left for a member that was removed: it says so until it is stopped, and when it is started again.
func (s *server) stayAway(ctx context.Context) error {
	if !s.replica.Removed {
		s.replica.Removed = true
		if err := s.remember(); err != nil {
			return err
		}
	}
	why := fmt.Sprintf("This replica was removed from the cluster. To bring its machine back, stop it, delete %s, make a token with `berth server members token` on another member, "+
		"and start it with --join and --token.", s.data)
	s.log.Error(why)
	s.front.set(waiting(why))
	<-ctx.Done()
	return nil
}

// keepCredentials writes the administrator's key down for the commands of this machine, as soon as it is known, on a replica that does not lead.
func (s *server) keepCredentials(ctx context.Context) error {
	sub := s.store.Subscribe()
	defer sub.Close()
	for {
		b, err := sub.Next(ctx)
		if err != nil {
			return nil // ctx has ended
		}
		for c := range b.Credentials.All() {
			if c.Principal != access.Administrator {
				continue
			}
			h, ok := s.keys.Find(c.AccessKeyID, "")
			if !ok {
				return fmt.Errorf("open the administrator's key: %w; the key file in %s is another installation's", seal.ErrSealed, s.data)
			}
			if err := s.data.save("credentials.json", accessKey{c.AccessKeyID, h.Secret}); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		}
	}
}

// etcdTLS is how an external etcd is reached; nil without TLS.
func (o *serverOptions) etcdTLS() (*tls.Config, error) {
	if o.etcdCA == "" && o.etcdCert == "" {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.etcdCA != "" {
		b, err := os.ReadFile(o.etcdCA)
		if err != nil {
			return nil, fmt.Errorf("--etcd-ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("--etcd-ca: %s holds no certificate", o.etcdCA)
		}
	}
	if o.etcdCert != "" {
		own, err := tls.LoadX509KeyPair(o.etcdCert, o.etcdKey)
		if err != nil {
			return nil, fmt.Errorf("--etcd-cert: %w", err)
		}
		c.Certificates = []tls.Certificate{own}
	}
	return c, nil
}
