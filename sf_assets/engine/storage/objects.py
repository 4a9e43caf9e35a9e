"""The object store that holds the files of a deployment which one machine does not hold: S3, or a server that speaks like it.

Only this module knows the keys: they are in no message, no address and no table.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sf_assets.vocabulary.failures import UserError

SCHEME = "s3://"
_PROTOCOLS = ("http://", "https://")
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
# An upload in parts that is older was left by a killed process: none takes a day.
_UNFINISHED = timedelta(days=1)


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
        """Return a client of the store.

        Raises:
            UserError: the package that speaks to the store is not installed.

        """
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
            aws_access_key_id=self.key_id,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token or None,
            region_name=self.region,
            endpoint_url=self.endpoint or None,
            config=Config(
                retries={"mode": "standard", "max_attempts": 8},
                s3={"addressing_style": "path" if self.endpoint else "auto"},
                connect_timeout=10,
            ),
        )

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
