"""Runs a script in a D-Bus session with a real Secret Service: `session.py PASSWORD SCRIPT`.

To be started by dbus-run-session. The daemon's process id is in KEYCHAIN_PID; it ends with the script.
"""

from __future__ import annotations

import os
import subprocess
import sys

from jeepney import MatchRule, message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection

SERVICE = "org.freedesktop.secrets"


def main(password: str, script: str) -> int:
    rule = MatchRule(
        type="signal",
        sender=message_bus.bus_name,
        interface=message_bus.interface,
        member="NameOwnerChanged",
        path=message_bus.object_path,
    )
    rule.add_arg_condition(0, SERVICE)
    with open_dbus_connection("SESSION") as bus:
        Proxy(message_bus, bus).AddMatch(rule)
        with bus.filter(rule) as changes:
            daemon = subprocess.Popen(
                ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
            )
            assert daemon.stdin is not None
            daemon.stdin.write(password.encode())
            daemon.stdin.close()
            bus.recv_until_filtered(changes, timeout=20)
    try:
        environ = os.environ | {"KEYCHAIN_PID": str(daemon.pid)}
        return subprocess.run([sys.executable, script], env=environ, check=False).returncode
    finally:
        daemon.kill()
        daemon.wait()


sys.exit(main(*sys.argv[1:]))
