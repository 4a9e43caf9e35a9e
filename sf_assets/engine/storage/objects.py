"""The object store that holds the files of a deployment which one machine does not hold: S3, or a server that speaks like it.

Only this module knows the keys: they are in no message, no address and no table.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sf_assets.vocabulary.failures import UserError

SCHEME = "s3://"
_PROTOCOLS = ("http://", "https://")
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
# An upload in parts that is older was left by a killed process: none takes a day.
_UNFINISHED = timedelta(days=1)
# The waits between are drawn between 0 and twice as much each time, from 0.05 s up to 20 s: a minute or more in all, during which
# the store may restart or refuse.
_ATTEMPTS = 16


def is_remote(address: str) -> bool:
    """Return whether an address is of an object store, not a folder."""
    return address.startswith(SCHEME)


def bucket_and_prefix(address: str) -> tuple[str, str]:
    """Return the bucket of an address and the beginning of the keys below it.

    >>> bucket_and_prefix("s3://sf/lake/"), bucket_and_prefix("s3://sf")
    (('sf', 'lake/'), ('sf', ''))
    """
    bucket, _, prefix = address.removeprefix(SCHEME).partition("/")
    prefix = prefix.strip("/")
    return bucket, f"{prefix}/" if prefix else ""


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """An S3 server and the keys that open it; an empty `endpoint` is that of AWS."""

    key_id: str = field(repr=False)
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)
    region: str = "us-east-1"
    endpoint: str = ""

    @classmethod
    def of_variables(cls, variables: Mapping[str, str]) -> "ObjectStore":
        """Return the store of the usual variables `AWS_*`.

        Raises:
            UserError: a key is missing, or the endpoint is no address; names the variable, never its value if it is a key.

        """
        if missing := [name for name in _KEYS if not variables.get(name)]:
            raise UserError(f"environment: expected {' and '.join(missing)} for an address {SCHEME}…, found none")
        endpoint = variables.get("AWS_ENDPOINT_URL_S3") or variables.get("AWS_ENDPOINT_URL") or ""
        if endpoint and not endpoint.startswith(_PROTOCOLS):
            raise UserError(f"environment: AWS_ENDPOINT_URL: expected an address in http or https, found {endpoint!r}")
        region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or "us-east-1"
        key_id, secret = (variables[name] for name in _KEYS)
        return cls(key_id, secret, variables.get("AWS_SESSION_TOKEN", ""), region, endpoint)

    @property
    def encrypted(self) -> bool:
        """Whether the store is spoken to in HTTPS."""
        return not self.endpoint.startswith("http://")

    def client(self) -> Any:
        """Return a client of the store, one for each process.

        Raises:
            UserError: the package that speaks to the store is not installed.

        """
        return _client(self, os.getpid())

    def listed(self, address: str, key: str = "", *, flat: bool = False) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the key and the facts of each object below an address whose key goes on with `key`.

        `flat` leaves out those whose key has a slash after that.
        """
        bucket, prefix = bucket_and_prefix(address)
        pages = self.client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=f"{prefix}{key}", **({"Delimiter": "/"} if flat else {})):
            yield from ((one["Key"], one) for one in page.get("Contents", ()))

    def delete(self, address: str, keys: Sequence[str]) -> None:
        """Delete objects of the bucket of an address; one that is gone already is no error."""
        bucket, _ = bucket_and_prefix(address)
        for key in keys:
            self.client().delete_object(Bucket=bucket, Key=key)

    def end_unfinished_uploads(self, address: str, *, at: datetime, dry_run: bool) -> int:
        """End the uploads in parts below an address that began more than a day before `at`; return how many there were."""
        bucket, prefix = bucket_and_prefix(address)
        client = self.client()
        pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
        old = [
            upload
            for page in pages
            for upload in page.get("Uploads", ())
            if upload["Initiated"] < at - _UNFINISHED and upload["Key"].startswith(prefix)
        ]
        for upload in () if dry_run else old:
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        return len(old)


@cache
def _client(store: ObjectStore, _process: int) -> Any:
    """Return the client of a store; a child process must not use that of its parent."""
    try:
        import boto3  # noqa: PLC0415 - slow to load, and no part of a deployment on one machine
        from botocore.config import Config  # noqa: PLC0415
    except ModuleNotFoundError:
        raise UserError(
            "expected the packages of the extra `s3` for an object store, found none: pip install 'sf-assets[s3]'"
        ) from None
    # The library writes requests, their signatures included, at a level that a deployment may have turned on.
    for name in ("boto3", "botocore", "s3transfer"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return boto3.session.Session().client(
        "s3",
        aws_access_key_id=store.key_id,
        aws_secret_access_key=store.secret,
        aws_session_token=store.token or None,
        region_name=store.region,
        endpoint_url=store.endpoint or None,
        config=Config(
            retries={"mode": "standard", "max_attempts": _ATTEMPTS},
            s3={"addressing_style": "path" if store.endpoint else "auto"},
            connect_timeout=10,
            # Other servers than that of AWS do not know its own checksums; ours are in the manifests.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def error_code(error: Exception) -> str:
    """Return the code of what a store answered; empty for another error."""
    answer: Any = getattr(error, "response", {})
    return str(answer.get("Error", {}).get("Code", ""))
