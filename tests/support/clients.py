"""Many clients at once: a connection of its own for each thread."""
import concurrent.futures
import http.client
import json

import openapi_check
from siegel_process import Answer


class Client:
    def __init__(self, siegel, token, check=True):
        self.siegel, self.token, self.check = siegel, token, check
        self.wire = http.client.HTTPConnection("127.0.0.1", siegel.port, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    def request(self, method, path, body=None, **headers):
        given = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if body is not None:
            given["Content-Type"] = "application/json"
        self.wire.request(method, path, None if body is None else json.dumps(body), given)
        answer = self.wire.getresponse()
        answer = Answer(answer.status, answer.headers, answer.read())
        if self.check:
            openapi_check.validate(method, path, answer.status, answer.headers, answer.body)
        return answer


def at_once(work, count):
    """work(i) on a thread of its own for each i; the results, or the first exception."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))
