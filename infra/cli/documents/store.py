"""Documents in Parameter Store, written back with their settings, never over another's change."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import batched
from typing import Any

from botocore.exceptions import ClientError

from ..aws_errors import is_throttled
from ..errors import CliError, ExitCode
from ..follow_up import NOTHING_GIVEN, FollowUp
from .document import DocumentName
from .limits import ADVANCED_BYTES, STANDARD_BYTES

NAMES_AT_ONCE = 10  # GetParameters' limit
SECURE = "SecureString"


@dataclass(frozen=True)
class Stored:
    """A document as it is stored.

    `error` is the code of AWS's refusal to decrypt it; its text is empty then.
    """

    name: DocumentName
    parameter: str
    text: str = field(repr=False)
    type: str
    version: int
    error: str | None = None

    @property
    def secure(self) -> bool:
        return self.type == SECURE

    @property
    def limit(self) -> int:
        """Return the size limit in bytes: an advanced parameter's if the text needs one."""
        return ADVANCED_BYTES if len(self.text.encode()) > STANDARD_BYTES else STANDARD_BYTES


@dataclass(frozen=True)
class Settings:
    """Type, key, description, tier and tags of a parameter, as PutParameter takes them.

    `has_tags` is false where the tags may not be read.
    """

    fields: Mapping[str, Any]
    has_tags: bool


@dataclass(frozen=True)
class Snapshot:
    """All parameters below the path: documents by name, and the names of unknown ones."""

    documents: Mapping[DocumentName, Stored]
    unknown: tuple[str, ...] = ()

    def demand_readable(self) -> None:
        """Raise CliError when a document could not be decrypted, so not be compared."""
        if sealed := [stored for stored in self.documents.values() if stored.error]:
            raise CliError(
                f"{sealed[0].parameter}: the SecureString cannot be decrypted: {sealed[0].error}"
                + (f" (and {len(sealed) - 1} more)" if len(sealed) > 1 else ""),
                remedy="You need ssm:GetParameters on it, and kms:Decrypt on its key.",
                exit_code=ExitCode.AWS,
            )


def list_parameters(ssm: Any, root: str) -> Iterator[Mapping[str, Any]]:
    """Yield every parameter below `root` as GetParametersByPath gives it, without decryption."""
    pages = ssm.get_paginator("get_parameters_by_path")
    for page in pages.paginate(Path=root, Recursive=True, WithDecryption=False):
        yield from page["Parameters"]


class Store:
    """The documents below `root`. `ssm` is a client of the stack's region."""

    def __init__(self, ssm: Any, root: str, follow_up: FollowUp = NOTHING_GIVEN) -> None:
        self._ssm = ssm
        self._follow_up = follow_up
        self.root = root

    def read(self) -> Snapshot:
        """Read all documents. A SecureString that cannot be decrypted has an error."""
        found = {one["Name"]: one for one in list_parameters(self._ssm, self.root)}
        names = {
            parameter: DocumentName.of_parameter(parameter, root=self.root) for parameter in found
        }
        texts: dict[str, str | ClientError] = {}
        secure = [
            parameter
            for parameter, name in names.items()
            if name and found[parameter]["Type"] == SECURE
        ]
        for batch in batched(secure, NAMES_AT_ONCE, strict=False):
            texts |= self._decrypted(batch)
        # A SecureString without a text has been deleted since.
        names = {
            parameter: name
            for parameter, name in names.items()
            if parameter not in secure or parameter in texts
        }
        documents = {
            name: _stored(name, found[parameter], texts.get(parameter))
            for parameter, name in names.items()
            if name
        }
        return Snapshot(
            documents, tuple(sorted(parameter for parameter, name in names.items() if name is None))
        )

    def get(self, name: DocumentName) -> Stored | None:
        """Read one document; return None when it does not exist."""
        try:
            one = self._ssm.get_parameter(Name=name.parameter(self.root), WithDecryption=True)[
                "Parameter"
            ]
        except self._ssm.exceptions.ParameterNotFound:
            return None
        return _stored(name, one, None)

    def rewrite(self, before: Stored, text: str) -> Stored:
        """Write a document over `before` as `put` does; return it as it is then."""
        self.put(before.name, text, before=before)
        return replace(before, text=text, version=before.version + 1)

    def put(
        self, name: DocumentName, text: str, *, before: Stored | None, key_id: str | None = None
    ) -> None:
        """Write a document over `before`, whose type, key, description, tier and tags stay.

        With None for `before`, create it, encrypted under `key_id` when one is given. Raise
        CliError when somebody else has written it meanwhile.
        """
        parameter = name.parameter(self.root)
        if before is None:
            settings = {"Type": SECURE, "KeyId": key_id} if key_id else {"Type": "String"}
            self._create(name, text, settings)
            return
        now = self.get(name)
        if now is None or now.version != before.version:
            raise _changed_meanwhile(
                parameter,
                (
                    "deleted"
                    if now is None
                    else f"changed (version {before.version} is now {now.version})"
                ),
            )
        kept = self._kept(parameter, before)
        written = self._ssm.put_parameter(
            Name=parameter, Value=text, Type=before.type, Overwrite=True, **kept
        )["Version"]
        if written != before.version + 1:
            said = (
                f"written by somebody else at the same moment (version {written - 1}), which this"
                " write has replaced"
            )
            history = self._follow_up.aws(
                "ssm",
                "get-parameter-history",
                "--name",
                parameter,
                region=self._ssm.meta.region_name,
            )
            raise _changed_meanwhile(parameter, said, remedy=f"To see what it was: {history}")

    def settings(self, stored: Stored) -> Settings:
        """Return the settings of a document's parameter, to create another one like it."""
        tags = self._tags(stored.parameter)
        kept = {"Type": stored.type, **self._kept(stored.parameter, stored)}
        return Settings(kept | ({"Tags": tags} if tags else {}), has_tags=tags is not None)

    def create(self, name: DocumentName, text: str, settings: Settings) -> None:
        """Create a document with these settings.

        Raise CliError when somebody else has created it meanwhile, with other content.
        """
        self._create(name, text, settings.fields)

    def delete(self, stored: Stored) -> None:
        """Delete a document; do nothing when it is gone already."""
        try:
            self._ssm.delete_parameter(Name=stored.parameter)
        except self._ssm.exceptions.ParameterNotFound:
            return

    def _decrypted(self, parameters: tuple[str, ...]) -> dict[str, str | ClientError]:
        try:
            answer = self._ssm.get_parameters(Names=list(parameters), WithDecryption=True)
        except ClientError as error:
            if is_throttled(error):
                raise
            if len(parameters) > 1:
                return {
                    parameter: text
                    for one in parameters
                    for parameter, text in self._decrypted((one,)).items()
                }
            return {parameters[0]: error}
        return {one["Name"]: one["Value"] for one in answer["Parameters"]}

    def _create(self, name: DocumentName, text: str, settings: Mapping[str, Any]) -> None:
        """Create a document. Two people who create equal ones at the same time both succeed."""
        parameter = name.parameter(self.root)
        try:
            self._ssm.put_parameter(Name=parameter, Value=text, Overwrite=False, **settings)
        except self._ssm.exceptions.ParameterAlreadyExists:
            there = self.get(name)
            if there is None or there.text != text:
                raise _changed_meanwhile(
                    parameter, "created by somebody else at the same moment, with other content"
                ) from None

    def _tags(self, parameter: str) -> list[dict[str, str]] | None:
        """Return a parameter's own tags; None without the right to read them."""
        try:
            listed = self._ssm.list_tags_for_resource(
                ResourceType="Parameter", ResourceId=parameter
            )["TagList"]
        except ClientError as error:
            if is_throttled(error):
                raise
            return None
        return [tag for tag in listed if not tag["Key"].startswith("aws:")]

    def _kept(self, parameter: str, before: Stored) -> dict[str, Any]:
        """Return the settings that an overwrite resets unless it repeats them. Tags stay anyway."""
        try:
            filters = [{"Key": "Name", "Option": "Equals", "Values": [parameter]}]
            described = self._ssm.describe_parameters(ParameterFilters=filters)["Parameters"]
        except ClientError as error:
            if not before.secure:
                return {}
            raise CliError(
                f"{parameter} is a SecureString, and its key cannot be read"
                f" ({error.response['Error']['Code']}): nothing was written.",
                remedy=("You need ssm:DescribeParameters, so that it keeps its key."),
                exit_code=ExitCode.AWS,
            ) from None
        fields = described[0] if described else {}
        return {
            key: fields[key]
            for key in ("KeyId", "Description", "AllowedPattern", "Tier", "DataType")
            if fields.get(key)
        }


def _stored(name: DocumentName, one: Mapping[str, Any], text: str | ClientError | None) -> Stored:
    stored = Stored(name, one["Name"], one.get("Value", ""), one["Type"], one["Version"])
    if text is None:
        return stored
    if isinstance(text, ClientError):
        return replace(stored, text="", error=text.response["Error"]["Code"])
    return replace(stored, text=text)


def _changed_meanwhile(
    parameter: str, what: str, remedy: str = "Review it, and try again."
) -> CliError:
    return CliError(f"{parameter} was {what}.", remedy=remedy, exit_code=ExitCode.NOT_OK)
