#!/usr/bin/env python3
"""bench-proxies.py --doctor PROGRAM --measure PROGRAM [--sites N] [--rounds N]

What reading a reverse proxy's configuration costs: a look at N sites of which the last leads to the gateway (`--only proxy-websocket --proxy-config`: a
whole process, its worker, every site read as the server reads it, the report) against the server's own reading of the same files (`nginx -T`,
`haproxy -c`, `caddy adapt`, `apache2 -t`), warm cache, in turns, in one run. That site lacks the upgrade headers and must be found: nothing was skipped.
Bars: faster than each server; peak memory under 24 MiB. Exit 1 when one is missed. No server is started, no port is used.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

GATEWAY = 28989
MOST_MIB = 24.0
MODULES = ("mpm_event", "authz_core", "proxy", "proxy_http", "proxy_wstunnel", "headers")

NGINX = """events {}
error_log @DIR@/error.log;
pid @DIR@/nginx.pid;
http {
    access_log off;
    client_body_temp_path @DIR@/t1; proxy_temp_path @DIR@/t2; fastcgi_temp_path @DIR@/t3; uwsgi_temp_path @DIR@/t4; scgi_temp_path @DIR@/t5;
    server_names_hash_max_size 16384;
    proxy_headers_hash_max_size 1024;
    include @DIR@/sites/*.conf;
}
"""
NGINX_SITE = """server {
    listen unix:@DIR@/socket;
    server_name site-@N@.example;
    location / {
        proxy_pass http://127.0.0.1:@PORT@;
        proxy_http_version 1.1;
        @UPGRADE@
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_read_timeout 1h;
    }
    location /files/ {
        root /srv/site-@N@;
    }
}
"""
HAPROXY = """defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
frontend clients
    bind unix@@DIR@/socket
@SITES@"""
HAPROXY_SITE = """frontend front-@N@
    bind unix@@DIR@/socket-@N@
    default_backend back-@N@
backend back-@N@
    @UPGRADE@
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto https
    server gateway 127.0.0.1:@PORT@
"""
CADDY = """{
    admin off
    auto_https off
}
import @DIR@/sites/*.conf
"""
CADDY_SITE = """http://site-@N@.example:28990 {
    encode gzip
    reverse_proxy 127.0.0.1:@PORT@ {
        @UPGRADE@
        flush_interval -1
    }
}
"""
APACHE = """ServerRoot @DIR@
PidFile @DIR@/apache2.pid
ErrorLog @DIR@/error.log
ServerName gateway.test
@MODULES@
Listen 127.0.0.1:28990
IncludeOptional @DIR@/sites/*.conf
"""
APACHE_SITE = """<VirtualHost 127.0.0.1:28990>
    ServerName site-@N@.example
    ProxyPass / http://127.0.0.1:@PORT@/ @UPGRADE@
    ProxyPreserveHost On
    RequestHeader unset X-Forwarded-For
    RequestHeader set X-Forwarded-Proto "https"
</VirtualHost>
"""
# frame, site, what a good site says, what the faulty one says, file, and how the server itself reads it
SERVERS = {
    "nginx": (NGINX, NGINX_SITE, 'proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection "upgrade";', "", "nginx.conf",
              lambda program, file, folder: [program, "-T", "-q", "-c", file, "-p", folder]),
    "haproxy": (HAPROXY, HAPROXY_SITE, "http-request set-header X-Forwarded-Host %[req.hdr(host)]", "http-request del-header Upgrade",
                "haproxy.cfg", lambda program, file, folder: [program, "-c", "-q", "-f", file]),
    "caddy": (CADDY, CADDY_SITE, "header_up X-Site @N@", "header_up -Upgrade", "Caddyfile",
              lambda program, file, folder: [program, "adapt", "--config", file, "--adapter", "caddyfile"]),
    "apache2": (APACHE, APACHE_SITE, "upgrade=websocket", "", "apache2.conf",
                lambda program, file, folder: [program, "-t", "-d", folder, "-f", file]),
}


def write(server, folder, sites) -> pathlib.Path:
    frame, shape, good, bad, name, _ = SERVERS[server]
    modules = "\n".join(f"LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so" for module in MODULES)
    texts = []
    for number in range(sites):
        last = number == sites - 1
        text = shape.replace("@UPGRADE@", bad if last else good).replace("@N@", f"{number:04}")
        texts.append(text.replace("@PORT@", str(GATEWAY if last else GATEWAY + 1 + number)).replace("@DIR@", str(folder)))
    (folder / "sites").mkdir()
    if "@SITES@" not in frame:  # one file for each site, behind a link, as Debian's packages have them
        (folder / "available").mkdir()
        for number, text in enumerate(texts):
            (folder / f"available/site-{number:04}.conf").write_text(text)
            os.symlink(f"../available/site-{number:04}.conf", folder / f"sites/site-{number:04}.conf")
    frame = frame.replace("@SITES@", "".join(texts)).replace("@MODULES@", modules)
    (folder / name).write_text(frame.replace("@DIR@", str(folder)))
    return folder / name


def measure(options, command, home) -> dict:
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C", "TMPDIR": str(home)}
    said = subprocess.run([options.measure, "1", *map(str, command)], env=env, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=True, timeout=120)
    return json.loads(said.stdout)


def found(options, command, home) -> bool:
    """Was the faulty site found, and all looked at?"""
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C", "TMPDIR": str(home)}
    said = subprocess.run([str(word) for word in command], env=env, cwd=home, stdout=subprocess.PIPE, text=True, check=False)
    report = json.loads(said.stdout)
    last = f"site-{options.sites - 1:04}"
    return not report["unknowns"] and any(finding["severity"] == "error" and (last in json.dumps(finding) or "haproxy" in json.dumps(finding))
                                          for finding in report["findings"])


def race(server, program, options) -> bool:
    with tempfile.TemporaryDirectory(prefix="dr-bench-proxies-", dir=options.dir) as name:
        folder = pathlib.Path(name)
        home = folder / "home"
        (home / ".openclaw").mkdir(parents=True, mode=0o700)
        (home / ".openclaw/openclaw.json").write_text(json.dumps({"gateway": {"port": GATEWAY, "trustedProxies": ["127.0.0.1"]}}))
        (home / ".openclaw/openclaw.json").chmod(0o600)
        file = write(server, folder, options.sites)
        look = [options.doctor, "--only", "proxy-websocket", "--offline", "--proxy-config", file, "--json"]
        commands = {"server": SERVERS[server][5](program, file, folder), "look": look}
        runs = {who: [] for who in commands}
        for turn in range(options.rounds + 1):
            for who, command in commands.items():
                run = measure(options, command, home)
                if who == "server" and run["exit"] != 0:
                    raise SystemExit(f"{server} does not accept its configuration: {' '.join(map(str, command))} ended with {run['exit']}")
                if turn > 0:  # the first warms the cache
                    runs[who].append(run)
        theirs, ours = (statistics.median(run["wallNs"] for run in runs[who]) / 1e6 for who in ("server", "look"))
        mib = max(run["maxRssKiB"] for run in runs["look"]) / 1024
        seen = found(options, look, home)
        good = ours < theirs and mib < MOST_MIB and seen
        print(f"{server:<8} {theirs:>8.1f} ms {max(run['maxRssKiB'] for run in runs['server']) / 1024:>6.1f} MiB   {ours:>8.1f} ms {mib:>6.1f} MiB "
              f"{ours / theirs:>7.2f}  {'PASS' if good else 'FAIL'}{'' if seen else '  (the faulty site was not found)'}", flush=True)
        return good


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--doctor", required=True, type=os.path.abspath)
    parser.add_argument("--measure", required=True, type=os.path.abspath)
    parser.add_argument("--sites", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--build-type", default="?")
    parser.add_argument("--dir", default="/var/tmp")
    options = parser.parse_args()
    if options.build_type != "Release":
        print(f"note: this is a {options.build_type} build; the bars are for a release build")
    print(f"a look at {options.sites} sites of a reverse proxy against the server's own reading, median of {options.rounds}; bars: ratio under 1, "
          f"under {MOST_MIB:.0f} MiB\n")
    print(f"{'server':<8} {'its own':>11} {'memory':>10}   {'look':>11} {'memory':>10} {'ratio':>7}  bar")
    good = []
    for server in SERVERS:
        program = shutil.which(server, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        if not program:
            raise SystemExit(f"{server} is not installed: ./bootstrap bench installs it")
        good.append(race(server, program, options))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
