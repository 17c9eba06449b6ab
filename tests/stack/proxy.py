"""The stand-in for Traefik where no registry is reached: nginx, by the routes of docker-stack.yml.

It keeps to the routers' rules, priorities and retries, TLS and the services' names. Rate limits,
headers, the access log and Traefik's own discovery by labels are not tried by it.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.stack.bases import PROXY, STAND_IN, STAND_INS

if TYPE_CHECKING:
    from tests.stack.engine import Engine

_LABEL = re.compile(r"traefik\.http\.(routers|services)\.([\w-]+)\.(.+)")

_SERVER = """
pid /tmp/nginx.pid;
error_log stderr warn;
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_max_body_size 8m;
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    resolver 127.0.0.11 valid=1s ipv6=off;
    map "$request_method $uri" $router {{
{routes}
        default none;
    }}
    server {{ listen 80; return 301 https://$host$request_uri; }}
    server {{
        listen 443 ssl;
        ssl_certificate /run/secrets/tls_certificate;
        ssl_certificate_key /run/secrets/tls_key;
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_connect_timeout 2s;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
        location / {{ rewrite ^ /@$router$uri last; }}
{locations}
    }}
}}
"""
_LOCATION = """
        location /@{router}/ {{
            internal;
            set $service http://{upstream};
            rewrite ^/@{router}{stripped}(/.*)$ $1 break;
            proxy_next_upstream {again};
            proxy_next_upstream_tries 5;
            proxy_pass $service;
        }}"""


@dataclass(frozen=True)
class Router:
    """A router of Traefik's, as far as nginx knows one."""

    name: str
    priority: int
    methods: tuple[str, ...]
    path: str
    upstream: str
    middlewares: str


def build_stand_in(engine: Engine, stack_file: Path) -> None:
    """Build nginx with the stack's routes, under the name of Traefik's image."""
    with tempfile.TemporaryDirectory(prefix="stand-in-") as folder:
        context = Path(folder, "traefik")
        shutil.copytree(STAND_INS / "traefik", context)
        (context / "nginx.conf").write_text(configuration(routers(stack_file)))
        engine("build", "--quiet", f"--label={STAND_IN}=true", "--tag", PROXY, str(context))


def routers(stack_file: Path) -> list[Router]:
    """What the labels of the stack's services say, the first to be tried first."""
    found = []
    services: dict[str, Any] = yaml.safe_load(stack_file.read_text())["services"]
    for service, given in services.items():
        told: dict[str, dict[str, dict[str, str]]] = {"routers": {}, "services": {}}
        for label, value in given.get("deploy", {}).get("labels", {}).items():
            if parts := _LABEL.fullmatch(label):
                told[parts[1]].setdefault(parts[2], {})[parts[3]] = value.replace("$$", "$")
        for name, router in told["routers"].items():
            port = next(iter(told["services"].values()))["loadbalancer.server.port"]
            path = re.search(r"PathRegexp\(`\^?(.+?)`\)", router["rule"])
            found.append(
                Router(
                    name=name,
                    priority=int(router["priority"]),
                    methods=tuple(re.findall(r"Method\(`(\w+)`\)", router["rule"])),
                    path=path[1] if path else "/",
                    upstream=f"{service}:{port}",
                    middlewares=router.get("middlewares", ""),
                )
            )
    return sorted(found, key=lambda one: -one.priority)


def configuration(found: list[Router]) -> str:
    """The whole of nginx.conf."""
    routes = "\n".join(
        f'        "~^({"|".join(one.methods) or "[A-Z]+"}) {one.path}" {one.name};' for one in found
    )
    return _SERVER.format(routes=routes, locations="".join(map(_location, found)))


def _location(one: Router) -> str:
    again = "error timeout http_502 non_idempotent" if "again@" in one.middlewares else "error"
    stripped = "/write" if "under-write@" in one.middlewares else ""
    return _LOCATION.format(router=one.name, upstream=one.upstream, stripped=stripped, again=again)
