"""Clicks through a report page in headless Chromium, over the pipe that DevTools offers. Standard library only.

python3 browser.py CHROMIUM PAGE [FOLDER_FOR_SCREENSHOTS]; prints what it found as JSON.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --remote-debugging-pipe"
).split()


class Browser:
    def __init__(self, chromium, profile):
        # Chromium reads commands from descriptor 3 and writes answers to 4.
        reads, self.to = os.pipe()
        self.back, writes = os.pipe()
        # Out of the way of 3 and 4 themselves.
        reads, writes = os.dup2(reads, 103), os.dup2(writes, 104)

        def descriptors():
            os.dup2(103, 3)
            os.dup2(104, 4)

        self.process = subprocess.Popen(
            [chromium, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=descriptors,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(103)
        os.close(104)
        self.number, self.rest, self.events, self.session = 0, b"", [], None

    def read(self):
        while b"\0" not in self.rest:
            data = os.read(self.back, 1 << 20)
            if not data:
                raise SystemExit("the browser is gone")
            self.rest += data
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def call(self, method, **params):
        self.number += 1
        command = {"id": self.number, "method": method, "params": params}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.to, json.dumps(command).encode() + b"\0")
        while True:
            message = self.read()
            if message.get("id") == self.number:
                if "error" in message:
                    raise SystemExit(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def wait(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.read())

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise SystemExit(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def key(self, key, code, text=""):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, text=text if kind == "keyDown" else "")

    def click(self, selector):
        x, y = self.value(
            f"(() => {{ const at = document.querySelector({json.dumps(selector)}); at.scrollIntoView({{block: 'center'}});"
            " const box = at.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def size(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def theme(self, theme, media=""):
        feature = {"name": "prefers-color-scheme", "value": theme}
        self.call("Emulation.setEmulatedMedia", media=media, features=[feature])


def shots(browser, folder, name):
    for width in (1280, 390):
        browser.size(width)
        for theme in ("light", "dark"):
            browser.theme(theme)
            height = min(browser.value("document.documentElement.scrollHeight"), 4000)
            clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
            shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
            with open(os.path.join(folder, f"{name}-{width}-{theme}.png"), "wb") as file:
                file.write(base64.b64decode(shot["data"]))


def look(browser, page, folder):
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    browser.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        browser.call(f"{domain}.enable")
    browser.size(1280)
    browser.call("Page.navigate", url="file://" + os.path.abspath(page))
    browser.wait("Page.loadEventFired")
    shown = "[...document.querySelectorAll('details.alert')].filter(alert => !alert.hidden).length"
    found = {
        "title": browser.value("document.title"),
        "alerts": browser.value("document.querySelectorAll('details.alert').length"),
        "hacked": browser.value("typeof hacked !== 'undefined' || !!document.querySelector('main img, main script, main iframe')"),
        "open": browser.value("document.querySelectorAll('details[open]').length"),
    }
    if folder:
        shots(browser, folder, os.path.basename(page).removesuffix(".html"))
    widths = {}
    for width in (1280, 390):
        browser.size(width)
        widths[width] = browser.value("document.documentElement.scrollWidth")
    found["widths"] = widths
    browser.size(1280)
    # The first thing that Tab reaches leads to the alerts.
    browser.value("document.activeElement.blur()")
    browser.key("Tab", 9)
    found["first_tab"] = browser.value("document.activeElement.textContent.slice(0, 40)")
    if found["alerts"] > 0:
        browser.click("details.alert summary .what")
        found["open_after_click"] = browser.value("document.querySelectorAll('details[open]').length")
        browser.value("document.querySelector('details.alert summary').focus()")
        browser.key("Enter", 13, "\r")
        found["open_after_enter"] = browser.value("document.querySelectorAll('details[open]').length")
        browser.click(".tools input[type=checkbox]")
        found["shown_without_first_severity"] = browser.value(shown)
        browser.click(".tools input[type=checkbox]")
        browser.click("#find")
        for letter in "zzz":
            browser.call("Input.insertText", text=letter)
        found["shown_for_nonsense"] = browser.value(shown)
        found["status"] = browser.value("document.getElementById('shown').textContent")
        browser.value("document.getElementById('find').value = ''; document.getElementById('find').dispatchEvent(new Event('input'))")
        browser.click("#open")
        found["open_after_all"] = browser.value("document.querySelectorAll('details[open]').length")
    if folder:
        browser.theme("light", "print")
        pdf = browser.call("Page.printToPDF", preferCSSPageSize=True)["data"]
        with open(os.path.join(folder, os.path.basename(page).removesuffix(".html") + ".pdf"), "wb") as file:
            file.write(base64.b64decode(pdf))
    urls = [event["params"]["request"]["url"] for event in browser.events if event.get("method") == "Network.requestWillBeSent"]
    found["requests"] = [url for url in urls if not url.startswith("file://")]
    found["files"] = len({url for url in urls if url.startswith("file://")})
    found["complaints"] = [
        event["params"]["entry"]["text"] for event in browser.events if event.get("method") == "Log.entryAdded"
    ] + [str(event["params"]) for event in browser.events if event.get("method") == "Runtime.exceptionThrown"]
    found["dialogs"] = sum(event.get("method") == "Page.javascriptDialogOpening" for event in browser.events)
    return found


def main():
    chromium, page = sys.argv[1:3]
    folder = sys.argv[3] if len(sys.argv) > 3 else None
    profile = tempfile.mkdtemp(prefix="rolewatch-browser-")
    browser = Browser(chromium, profile)
    try:
        print(json.dumps(look(browser, page, folder), indent=1))
    finally:
        browser.process.kill()
        browser.process.wait()
        shutil.rmtree(profile, ignore_errors=True)


main()
