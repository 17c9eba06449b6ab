"""The routes by which the fleet is registered and changed: load, call one method, dump."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request

from vehicle_tracker.errors import Unsupported
from vehicle_tracker.web import ApiBlueprint
from write_service import heartbeat_body, schemas
from write_service.vehicle_import import COLUMNS, Import

if TYPE_CHECKING:
    from uuid import UUID

    from vehicle_tracker.settings import Settings
    from write_service.application import VehicleTracker

_CSV = {
    "required": True,
    "content": {
        "text/csv": {
            "schema": {"type": "string"},
            "example": f"{','.join(COLUMNS)}\nYS2R4X20005399401,ABC123,Kalles AB,Cementvägen 8\n",
        }
    },
}


def fleet_api(tracker: VehicleTracker, settings: Settings) -> ApiBlueprint:
    """The routes by which the fleet is registered and changed."""
    blueprint = ApiBlueprint("fleet", __name__, url_prefix="/api/v1")

    @blueprint.route("/customers", methods=["POST"])
    @blueprint.arguments(schemas.NewCustomer)
    @blueprint.response(201, schemas.CustomerWritten)
    def register_customer(new: dict[str, Any]) -> Any:
        """Register a customer. The same name and address again is the same customer.

        A limit that is given then holds; without one, or with null, it stays as it is.
        """
        return tracker.register_customer(**new)._asdict()

    @blueprint.route("/customers/<uuid:customer_id>", methods=["PATCH"])
    @blueprint.arguments(schemas.CustomerChanges)
    @blueprint.response(200, schemas.CustomerWritten)
    @blueprint.refuses(404, "unknown_customer")
    @blueprint.refuses(409, "customer_exists")
    def change_customer(changes: dict[str, Any], customer_id: UUID) -> Any:
        """Give a customer another name, address, limit of silence or rules for trips."""
        position = tracker.change_customer(customer_id, changes)
        return {"customer_id": customer_id, "position": position}

    @blueprint.route("/vehicles", methods=["POST"])
    @blueprint.arguments(schemas.NewVehicle)
    @blueprint.response(201, schemas.VehicleWritten)
    @blueprint.refuses(404, "unknown_customer")
    @blueprint.refuses(409, "vehicle_exists")
    def register_vehicle(new: dict[str, Any]) -> Any:
        """Register a vehicle, or take a decommissioned one into use again."""
        position = tracker.register_vehicle(**{"labels": {}, **new})
        return {"vin": new["vin"], "position": position}

    @blueprint.route("/vehicles/<vin>", methods=["PATCH"])
    @blueprint.arguments(schemas.VehicleChanges)
    @blueprint.response(200, schemas.VehicleWritten)
    @blueprint.refuses(404, "unknown_vehicle", "unknown_customer")
    def change_vehicle(changes: dict[str, Any], vin: str) -> Any:
        """Change a vehicle's plate, customer, labels or limit of silence."""
        return {"vin": vin, "position": tracker.change_vehicle(vin, changes)}

    @blueprint.route("/vehicles/<vin>", methods=["DELETE"])
    @blueprint.response(200, schemas.VehicleWritten)
    @blueprint.refuses(404, "unknown_vehicle")
    def decommission_vehicle(vin: str) -> Any:
        """Take a vehicle out of use; its history stays."""
        return {"vin": vin, "position": tracker.decommission_vehicle(vin)}

    @blueprint.route("/vehicles/import", methods=["POST"])
    @blueprint.response(200, schemas.Imported)
    @blueprint.refuses(400, "malformed_csv", "malformed_gzip")
    @blueprint.refuses(413, "body_too_large", "too_many_lines")
    @blueprint.refuses(415, "unsupported_media_type")
    @blueprint.refuses(422, "missing_columns")
    @blueprint.doc(requestBody=_CSV)
    def import_vehicles() -> Any:
        """Register a fleet from CSV with the columns vin,registration_number,customer,address."""
        if request.mimetype not in ("text/csv", "application/csv"):
            raise Unsupported(
                "unsupported_media_type", "Send the file with Content-Type: text/csv."
            )
        fleet = Import(tracker.log)
        fleet.run(heartbeat_body.body_of(request, settings.max_body_bytes))
        return {
            "registered": fleet.registered,
            "unchanged": fleet.unchanged,
            "rejected": [one._asdict() for one in fleet.rejected],
            "position": fleet.position,
        }

    return blueprint
