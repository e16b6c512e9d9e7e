"""Git over ssh, with a key and known_hosts, and over TLS with an authority of one's own: promotions arrive, and what cannot be
trusted is told and tried again."""

import getpass
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest

from git_servers import Repository, WebServer, serve_web
from harness import DaemonCase, free_port, wait_until


def make_certificate(folder, name):
    """A key and a certificate for localhost that it signed itself."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return key, certificate


class RemoteCase(DaemonCase):
    """A daemon whose environment `prod` is committed to the repository `clusters` of a server."""

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="mlops-git-remote-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, True)
        cls.clusters = Repository(cls.place, "clusters")
        url, credential, settings = cls.start_server()
        file = cls.place / "repositories.yaml"
        user = f", user: {getpass.getuser()}" if url.startswith("ssh") else ""
        file.write_text(f"repositories:\n  clusters: {{url: '{url}', use: [gitops], credential: 'file:{credential}'{user}}}\n")
        cls.settings = {"MLOPSD_GIT_REPOSITORIES_FILE": str(file), "MLOPSD_GIT_TIMEOUT_SECONDS": "10", **settings}
        super().setUpClass()
        environment = cls.place / "env.yaml"
        environment.write_text("apiVersion: mlops/v1\nkind: Environments\nenvironments:\n"
                               "  - {name: prod, clearance: none, gitops: {repository: clusters, path: prod}}\n")
        cls.daemon.ctl("env", "apply", str(environment), check=0)

    def promote(self):
        ref = self.json("register", "model", "m", self.file("m.bin", f"{self.id()} {len(self.clusters.log())}"), "--sensitivity", "none")["version"]["ref"]
        self.ok("promote", ref, "--to", "prod", "--reason", "over the wire")
        return ref

    def wait_for(self, state):
        def found():
            items = self.items("gitops", "status", "--env", "prod", "--limit", "1")
            return items if items and (items[0]["problem"] if state == "problem" else items[0]["state"] == state) else None
        try:
            return wait_until(found, 40, state)[0]
        except AssertionError:
            self.fail(f"not {state}: {self.items('gitops', 'status', '--env', 'prod')} {self.daemon.log_text()[-2000:]}")


class TlsTest(RemoteCase):
    @classmethod
    def start_server(cls):
        cls.ours = make_certificate(cls.place, "ours")
        cls.another = make_certificate(cls.place, "another")
        cls.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cls.speak(*cls.ours)
        port, secret = serve_web(cls, cls.clusters, cls.context)
        return f"https://localhost:{port}/clusters.git", secret, {"MLOPSD_GIT_CA_FILE": str(cls.ours[1])}

    @classmethod
    def speak(cls, key, certificate):
        """From the next connection on."""
        cls.context.load_cert_chain(certificate, key)

    def test_an_authority_of_ones_own_and_a_certificate_of_somebody_else(self):
        ref = self.promote()
        self.wait_for("done")
        self.assertIn(f"Promote {ref} to prod", self.clusters.log()[0])
        self.speak(*self.another)
        self.promote()
        problem = self.wait_for("problem")["problem"]
        self.assertRegex(problem.lower(), "certificate")
        self.assertNotIn(WebServer.token, problem + self.daemon.log_text())
        self.speak(*self.ours)
        self.ok("gitops", "retry", "--env", "prod")
        self.wait_for("done")
        self.assertEqual(len(self.clusters.log()), 2)


@unittest.skipUnless(shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin"), "sshd is not installed (openssh-server)")
class SshTest(RemoteCase):
    @classmethod
    def start_server(cls):
        sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        for name in ("host", "client"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(cls.place / name)],
                           check=True)
        (cls.place / "authorized").write_text((cls.place / "client.pub").read_text())
        (cls.place / "authorized").chmod(0o600)
        cls.place.chmod(0o755)
        cls.port = free_port()
        configuration = cls.place / "sshd_config"
        configuration.write_text(
            f"ListenAddress 127.0.0.1:{cls.port}\nHostKey {cls.place / 'host'}\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {cls.place / 'authorized'}\nStrictModes no\nPasswordAuthentication no\n"
            "PermitRootLogin prohibit-password\n")
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        cls.sshd = subprocess.Popen([sshd, "-D", "-e", "-f", str(configuration)], stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.sshd.wait)
        cls.addClassCleanup(cls.sshd.send_signal, signal.SIGTERM)
        wait_until(cls.is_listening, 20, "sshd listens")
        cls.home = cls.place / "home"
        (cls.home / ".ssh").mkdir(parents=True)
        cls.trust_host()
        return f"ssh://127.0.0.1:{cls.port}{cls.clusters.bare}", cls.place / "client", {"HOME": str(cls.home)}

    @classmethod
    def is_listening(cls):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", cls.port)) == 0

    @classmethod
    def trust_host(cls, public_key="host.pub"):
        kind, key = (cls.place / public_key).read_text().split()[:2]
        (cls.home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{cls.port} {kind} {key}\n")

    def test_a_key_and_a_known_host_and_one_that_is_not(self):
        ref = self.promote()
        self.wait_for("done")
        self.assertIn(f"Promote {ref} to prod", self.clusters.log()[0])
        self.trust_host("client.pub")  # another key than the host has
        self.promote()
        self.assertRegex(self.wait_for("problem")["problem"].lower(), "host ?key|hostkey|known host|certificate")
        self.trust_host()
        self.ok("gitops", "retry", "--env", "prod")
        self.wait_for("done")
        self.assertEqual(len(self.clusters.log()), 2)


del RemoteCase  # a base, no test of its own

if __name__ == "__main__":
    unittest.main()
